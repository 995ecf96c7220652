/* Number of the set of functions and their arguments; `skyquilt.native` asks for the same. */
#define SKYQUILT_INTERFACE 11
