#!/usr/bin/env bash
# One job for the whole run: sbatch profiles/pilot/submit.sh --configfile config/demo.yaml
#
# Run it in the folder of the Snakefile. When the time is over, submit it again: it goes on with
# the chunks that are missing.

#SBATCH --job-name=skyquilt-pilot
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=1500
#SBATCH --time=60
#SBATCH --signal=B:INT@60
# An account or partition, if your site wants them:
# #SBATCH --account=my-account
# #SBATCH --partition=main

exec snakemake --profile profiles/pilot --cores "$SLURM_NTASKS" "$@"
