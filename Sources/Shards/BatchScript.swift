/// The job array of a plan for Slurm's `sbatch`. It is printed and never submitted.
package struct BatchScript {
    package var plan: ShardPlan
    /// The set's folder, absolute, and the program.
    package var folder: String
    package var program: String
    package var cores = 4

    package init(plan: ShardPlan, folder: String, program: String) { (self.plan, self.folder, self.program) = (plan, folder, program) }

    package var text: String {
        """
        #!/bin/bash
        #SBATCH --job-name=kotonoha
        #SBATCH --array=0-\(plan.tasks - 1)
        #SBATCH --ntasks=1
        #SBATCH --cpus-per-task=\(cores)
        #SBATCH --mem-per-cpu=2G
        #SBATCH --time=04:00:00
        #SBATCH --signal=TERM@120
        #SBATCH --requeue
        #SBATCH --open-mode=append
        #SBATCH --output=\(Self.quoted(folder))/log-%a.txt
        # \(plan.rows) rows in \(plan.shards.count) shards, computed with \(plan.kernels) kernels\(plan.isPinned ? " on every node" : ": add --constraint for nodes that have them").
        # A task that is stopped, killed or too slow loses at most a block of rows; submit the same script again, and what is missing is done.
        srun \(Self.quoted(program)) shard run \(Self.quoted(folder)) --task "$SLURM_ARRAY_TASK_ID" --tasks \(plan.tasks) --threads "$SLURM_CPUS_PER_TASK" --quiet
        status=$?
        # 130: stopped by the signal before the time limit. It goes on where it stopped.
        [ $status -eq 130 ] && scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
        exit $status

        """
    }

    /// A word of a shell, in quotation marks where it needs them.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || "/._-+=:,@%".utf8.contains(byte)
        }
        return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
