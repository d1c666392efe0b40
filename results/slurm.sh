#!/bin/sh
# Runs lines for the shell, which it reads, as an array of Slurm jobs and waits for them. The words of
# the call are sbatch's: make train LAUNCH="results/slurm.sh --time=2:00:00 --mem=2G"
#
# A job has one processor unless --cpus-per-task says otherwise, and trains on as many threads. What
# it prints goes to runs/slurm-JOB_TASK.out. Whoever ends this call leaves the jobs in the queue;
# scancel ends them as SIGTERM does, saved. Run it where steps/ stands.
set -eu
lines=$(cat)
count=$(printf '%s\n' "$lines" | grep -c .) || { echo "slurm.sh: no line to run" >&2; exit 2; }
mkdir -p runs
# shellcheck disable=SC2016 # for the job's shell
{
    printf '%s\n' '#!/bin/sh' 'export OMP_NUM_THREADS="${OMP_NUM_THREADS:-${SLURM_CPUS_PER_TASK:-1}}"' \
        'case $SLURM_ARRAY_TASK_ID in'
    printf '%s\n' "$lines" | awk '{ print NR ") " $0 " ;;" }'
    printf '%s\n' 'esac'
} | sbatch --wait --job-name=train --output=runs/slurm-%A_%a.out --array="1-$count" "$@"
