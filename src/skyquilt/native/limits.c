/* Where TS falls by 1 on both sides of its maximum, and the upper limit on the flux.
 *
 * A pass over all bins at p gives four moments S_k = sum_i w_i r_i^k of the rates r_i of the bins. Near
 * p two bins stand for all of them: their weights w_j and rates r_j have the same four moments (Gauss
 * quadrature of the distribution of rates), so that
 *
 *     K(p + s) = K(p) + sum_j w_j ln(1 + s r_j)
 *
 * has the right first four derivatives and is exact for bins of two kinds. A pixel's curve is pieced
 * together from a few such models, each used nearest to its pass: the last one of the fit, one or two
 * at each of the positions where TS has fallen by 1, p = 0, and the upper limit if need be.
 *
 * The upper limit has the posterior probability `confidence_level` below it, for a prior that is flat
 * above zero flux (Helene 1983, Nucl. Instr. Meth. 212, 319): the integral of exp(LLR).
 */
#include <math.h>

#include "lanes_math.h"
#include "limits.h"

#define MAX_PASSES 40 /* on each side */
#define SURE_PASSES 3
#define MAX_STEPS 60
#define NEARLY 1e-6 /* relative change of a step of Newton after which the next is below 1e-9 */
#define CLOSE 0.05       /* distance from the pass [flux_err] at which a model is as good as exact */
#define GOOD_FALL 3e-9   /* error of a model of LLR where it has fallen by half a unit */
#define GOOD_MODEL 3e-5  /* error of a model of LLR, times the posterior density over its maximum */
#define PIECE_FALL 4.0   /* fall of LLR over a piece of the integral */
#define PIECE_FACTOR 0.7 /* free background: relative width of a piece in p */
#define LAST_FALL 20.0   /* where the integral ends: 2e-9 of its top */
#define MAX_PIECES 128
#define MAX_MODELS (2 * MAX_PASSES + 2 + MAX_PIECES)

/* The two bins that stand for all near a pass: u = w r; where a rate is 0, its bin is a straight line. With
 * the mean rate a and the variance v a^2 of the bins' rates, the first derivative that is not right
 * is wrong by about v^2 a^5, times the number S1^2 / S2 of counts. */
typedef struct {
    double p, log, u1, r1, u2, r2, w1, w2, line;
    double rate, error; /* a; v^2 S1^2 / S2 / 5 */
} model;

typedef struct {
    const fitted *pixel;
    double scale; /* p over which a source doubles the model, in the mean over the bins */
    int n;
    model models[MAX_MODELS];
} models;

static model model_of(double p, moments m)
{
    double ratio1 = m.s2 / m.s1, ratio2 = m.s3 / m.s2, ratio3 = m.s4 / m.s3;
    double b = ratio2 - ratio1, c = ratio2 * (ratio3 - ratio2) / b;
    model one = {.p = p, .log = m.log, .u1 = m.s1, .r1 = ratio1, .w1 = m.s1 / ratio1, .rate = ratio1};
    if (!(m.s2 > 0)) /* bins that see nothing, or a source beyond all numbers */
        return (model){.p = p, .log = m.log, .u1 = m.s1, .line = m.s1};
    if (!(b > 1e-9 * ratio1 && c >= 0))
        return one;
    one.error = b / ratio1 * (b / ratio1) * one.w1 / 5;
    /* (1 + r1 s) (1 + r2 s) = 1 + (a + b + c) s + a c s^2 */
    double half = 0.5 * (ratio1 + b + c), product = ratio1 * c;
    double r1 = half + sqrt(half * half - product), r2 = product / r1;
    double u1 = m.s1 * (r1 - b - c) / (r1 - r2), u2 = m.s1 - u1;
    if (!(isfinite(r1) && r1 > r2 && u1 > 0 && u2 >= 0))
        return one;
    one.u1 = u1, one.r1 = r1, one.w1 = u1 / r1, one.u2 = u2;
    if (r2 > 1e-12 * r1)
        one.r2 = r2, one.w2 = u2 / r2;
    else
        one.line = u2;
    return one;
}

/* About the error of a model's LLR at p. */
static double error_of(const model *m, double p)
{
    double t = log1p(m->rate * (p - m->p));
    return m->error * fabs(t * t * t * t * t);
}

static const model *nearest(const models *all, double p)
{
    const model *found = all->models;
    for (int k = 1; k < all->n; k++)
        if (fabs(all->models[k].p - p) < fabs(found->p - p))
            found = all->models + k;
    return found;
}

static position model_position(const profile *curve, const model *m, double p)
{
    double s = p - m->p, inverse1 = 1 / (1 + m->r1 * s), inverse2 = 1 / (1 + m->r2 * s);
    double log = m->log + m->w1 * log1p(m->r1 * s) + m->w2 * log1p(m->r2 * s) + m->line * s;
    double h1 = m->u1 * inverse1, h2 = m->u2 * inverse2;
    return position_of(curve, p, log, h1 + h2, h1 * m->r1 * inverse1 + h2 * m->r2 * inverse2);
}

static position position_at(const models *all, double p)
{
    return model_position(&all->pixel->curve, nearest(all, p), p);
}

/* A pass over the bins at p. */
static const model *add_pass(models *all, double p)
{
    model *new = all->models + all->n++;
    *new = model_of(p, skyquilt_moments(all->pixel->bins, p));
    return new;
}

/* Place where a model's LLR is half a unit below the top: Newton on u = sqrt(2 (top - LLR)), which is
 * nearly straight. */
static position fall_of_model(const fitted *pixel, const model *m, double guess, double from, double to)
{
    double p = guess;
    position at = model_position(&pixel->curve, m, p);
    for (int k = 0; k < MAX_STEPS; k++) {
        double u = sqrt(2 * (pixel->llr - at.llr)), slope = at.slope * at.stretch;
        if (u < 1) /* NaN, where the model is above the top, is as good as the top */
            from = p;
        else if (u >= 1)
            to = p;
        else
            from = p, u = 0;
        double next = p - (1 - u) * u / slope;
        int is_inside = next > fmin(from, to) && next < fmax(from, to);
        int is_found = fabs(next - p) <= NEARLY * fabs(p - pixel->top); /* also at an end: it is p */
        if (!is_inside && !is_found)
            next = isfinite(to) ? 0.5 * (from + to) : from + 2 * (from - pixel->top) + guess - pixel->top;
        is_found |= fabs(next - p) <= 1e-9 * fabs(p - pixel->top);
        p = next;
        at = model_position(&pixel->curve, m, p);
        if (is_found)
            break;
    }
    return at;
}

/* Flux at which TS has fallen by 1 on one side, up to the end of the domain `to`; NaN if not found.
 * Models lead there in one or two passes; where they do not, for the background goes over decades, p is
 * halved in every other pass. */
static double fall(models *all, double guess, double to)
{
    const fitted *pixel = all->pixel;
    const model *m = nearest(all, pixel->top);
    double from = pixel->top;
    for (int k = 0; k < MAX_PASSES; k++) {
        position at = fall_of_model(pixel, m, guess, from, to), pass = model_position(&pixel->curve, m, m->p);
        int is_close = k > 0 && fabs(at.flux - pass.flux) <= CLOSE * fabs(at.flux - pixel->flux);
        if (is_close || (!pixel->curve.is_free && error_of(m, at.p) < GOOD_FALL))
            return at.flux;
        guess = at.p;
        if (!isfinite(guess) || (k > SURE_PASSES && k % 2 && isfinite(to)))
            guess = sqrt((from + all->scale) * (to + all->scale)) - all->scale;
        if (!isfinite(guess))
            break;
        m = add_pass(all, guess);
        *(model_position(&pixel->curve, m, guess).llr > pixel->llr - 0.5 ? &from : &to) = guess;
    }
    return NAN;
}

/* A piece of the integral of exp(LLR - top) over flux, from p = `from` to `to`, and its value. */
typedef struct {
    double from, to, mass;
} piece;

static const double NODES[BLOCK] = {-0.9602898564975363, -0.7966664774136267, -0.5255324099163290,
                                    -0.1834346424956498, 0.1834346424956498,  0.5255324099163290,
                                    0.7966664774136267,  0.9602898564975363};
static const double WEIGHTS[BLOCK] = {0.1012285362903763, 0.2223810344533745, 0.3137066458778873,
                                      0.3626837833783620, 0.3626837833783620, 0.3137066458778873,
                                      0.2223810344533745, 0.1012285362903763};

/* exp(LLR - top) times the stretch, for a vector of positions of a model; as `position_of`. */
static inline lanes density(const profile *curve, const model *m, lanes p, double top)
{
    lanes s = p - m->p, inverse1, inverse2, one = {0};
    one += 1;
    lanes log = m->w1 * log_1p(m->r1 * s, &inverse1) + m->w2 * log_1p(m->r2 * s, &inverse2);
    log += m->log + m->line * s;
    lanes flux = p, stretch = one;
    if (curve->is_free) {
        double D = curve->D, most = D / curve->B;
        lanes s1 = m->u1 * inverse1 + m->u2 * inverse2, unused;
        lanes s2 = m->u1 * m->r1 * inverse1 * inverse1 + m->u2 * m->r2 * inverse2 * inverse2;
        lanes natural = 1 - p * s1 / D, fraction = larger(natural, FLOOR * one);
        flux = fraction * most * p;
        stretch = pick(natural > FLOOR, (D - 2 * p * s1 + p * p * s2) / curve->B, FLOOR * most * one);
        log += D * (log_1p(fraction - 1, &unused) - (fraction - 1));
    }
    lanes llr = log - flux * curve->E - top;
    return exponential(larger(smaller(llr, 50 * one), -600 * one)) * stretch;
}

/* Gauss-Legendre quadrature, in p where the background is fixed and in ln(p + 1 / rate) where it is
 * free, for there the stretch and LLR vary over factors of p. */
static double mass_of(const models *all, const model *m, double from, double to, double top)
{
    const profile *curve = &all->pixel->curve;
    double origin = from + all->scale;
    double half = 0.5 * (curve->is_free ? log((to + all->scale) / origin) : to - from);
    lanes parts[PARTS];
    for (int k = 0; k < PARTS; k++) {
        lanes weight = load(WEIGHTS + k * WIDTH), way = half * (1 + load(NODES + k * WIDTH));
        if (curve->is_free) {
            lanes away = origin * exponential(way);
            parts[k] = weight * away * density(curve, m, away - all->scale, top);
        } else
            parts[k] = weight * density(curve, m, from + way, top);
    }
    return half * block_sum(parts);
}

/* Flux over which LLR falls by about PIECE_FALL. */
static double width_of(const position *at)
{
    double slope = fabs(at->slope), curvature = fmax(at->curvature, 0);
    return 2 * PIECE_FALL / (slope + sqrt(slope * slope + 2 * PIECE_FALL * curvature));
}

/* Where the background reaches its floor, by bisection: the end that lies beyond. */
static double floor_between(const models *all, double from, double to)
{
    int before = position_at(all, from).on_floor;
    for (int k = 0; k < MAX_STEPS; k++) {
        double middle = 0.5 * (from + to);
        *(position_at(all, middle).on_floor == before ? &from : &to) = middle;
    }
    return to;
}

/* Add pieces of the likelihood, from `from` on and away from its top. They end where the domain
 * ends, or where the likelihood is too small to count. Gives -1 if there is no such end. */
static int add_pieces(models *all, piece *pieces, double from, double end, double top)
{
    const profile *curve = &all->pixel->curve;
    const model *m = nearest(all, from);
    position at = model_position(curve, m, from);
    int n = 0;
    for (; n < MAX_PIECES / 2 && at.p != end && at.llr > top - LAST_FALL; n++) {
        double width = width_of(&at) / at.stretch;
        if (curve->is_free)
            width = fmin(width, PIECE_FACTOR * (at.p + all->scale));
        double next = end > from ? fmin(at.p + width, end) : fmax(at.p - width, end);
        if (position_at(all, next).on_floor != at.on_floor)
            next = floor_between(all, at.p, next);
        double low = fmin(at.p, next), high = fmax(at.p, next);
        double middle = 0.5 * (low + high);
        m = nearest(all, middle);
        position there = model_position(curve, m, middle);
        double weight = exp(fmin(there.llr - top, 0));
        /* where the source has most counts, the few others set the background: small differences */
        int is_delicate = curve->is_free && there.norm * curve->B < 0.5 * curve->D;
        if (!(error_of(m, middle) * weight < GOOD_MODEL) || is_delicate)
            m = add_pass(all, middle);
        pieces[n] = (piece){low, high, mass_of(all, m, low, high, top)};
        m = nearest(all, next);
        at = model_position(curve, m, next);
    }
    return at.p == end || at.llr <= top - LAST_FALL ? n : -1;
}

/* p up to which a piece has a given mass: Newton on the integral. */
static double divide_piece(const models *all, piece whole, double mass, double top)
{
    const profile *curve = &all->pixel->curve;
    const model *m = nearest(all, 0.5 * (whole.from + whole.to));
    double low = whole.from, high = whole.to, p = low + (high - low) * mass / whole.mass;
    for (int k = 0; k < MAX_STEPS; k++) {
        double excess = mass_of(all, m, whole.from, p, top) - mass;
        position at = model_position(curve, m, p);
        if (excess > 0)
            high = p;
        else
            low = p;
        double next = p - excess / (exp(at.llr - top) * at.stretch);
        double width = whole.to - whole.from;
        int is_found = fabs(next - p) <= NEARLY * width; /* also at an end: it is p */
        if (!(next > low && next < high) && !is_found)
            next = 0.5 * (low + high);
        is_found |= fabs(next - p) <= 1e-9 * width;
        p = next;
        if (is_found)
            break;
    }
    return p;
}

/* p that has this fraction of the posterior probability below it. */
static double quantile(models *all, double fraction)
{
    const fitted *pixel = all->pixel;
    double peak = fmax(pixel->top, 0), top = pixel->top > 0 ? pixel->llr : 0, sum = 0, wanted;
    piece pieces[MAX_PIECES];
    int n_left = add_pieces(all, pieces, peak, 0, top);
    int n_right = n_left < 0 ? -1 : add_pieces(all, pieces + n_left, peak, INFINITY, top);
    if (n_right < 0)
        return NAN;
    int n = n_left + n_right;
    for (int k = 0; k < n; k++)
        sum += pieces[k].mass;
    wanted = fraction * sum;
    /* in ascending order: those left of the peak were made from right to left */
    for (int k = 0; k < n; k++) {
        piece next = pieces[k < n_left ? n_left - 1 - k : k];
        if (wanted <= next.mass)
            return divide_piece(all, next, wanted, top);
        wanted -= next.mass;
    }
    return NAN;
}

limits skyquilt_limits(const fitted *pixel, double confidence_level)
{
    const profile *curve = &pixel->curve;
    /* a source that no hit bin sees: p of one expected count instead */
    double scale = pixel->start.s2 > 0 ? pixel->start.s1 / pixel->start.s2
                                       : curve->B / (curve->D * curve->E);
    models all = {pixel, scale, 1, {model_of(pixel->p, pixel->at)}};
    double step = pixel->flux_err / model_position(&pixel->curve, all.models, pixel->top).stretch;
    limits found = {0};
    found.err_hi = fall(&all, pixel->top + step, INFINITY) - pixel->flux;
    double below = fmax(pixel->top - step, 0.5 * (pixel->top + pixel->lowest));
    if (pixel->llr_lowest >= pixel->llr - 0.5) /* the end of the domain comes first */
        found.err_lo = pixel->flux - pixel->lowest;
    else
        found.err_lo = pixel->flux - fall(&all, below, pixel->lowest);
    if (pixel->p != 0)
        all.models[all.n++] = model_of(0, pixel->start);
    found.ul = position_at(&all, quantile(&all, confidence_level)).flux;
    return found;
}
