import FileFormats
import Foundation
import Testing

/// `train lm`, and `generate` with what it wrote, as a user runs them.
@Suite struct CausalModelTests {
    private func expect(_ result: Program.Result, _ status: Int32, _ texts: String...) {
        #expect(result.status == status, "\(result.errors)")
        for text in texts { #expect(result.errors.contains(text), "\(result.errors)") }
    }

    /// A corpus in which every line counts on from its first letter.
    private func prepare(_ program: Program) throws {
        let lines = (0..<200).map { n in (0..<(5 + n % 6)).map { "abcdefgh"[(n + $0) % 8] }.joined(separator: " ") }
        _ = try program.write("corpus.txt", lines.joined(separator: "\n") + "\n")
        _ = try program.write("held-out.txt", "c d e f g\nh a b c d e\n")
        #expect(
            try program.run("train", "vocabulary", "corpus.txt", "-o", "tokenizer.json", "--kind", "unigram", "--size", "40").status == 0)
        _ = try program.write(
            "config.json",
            """
            {"tokenizer": "tokenizer.json", "files": ["corpus.txt"], "development": ["held-out.txt"], "steps": 80, "batch_size": 8, "evaluate_every": 40,
             "optimizer": {"learning_rate": 0.01}, "storage": "f32",
             "model": {"hidden_size": 16, "layers": 1, "heads": 2, "key_value_heads": 1, "intermediate_size": 24, "context": 32}}
            """)
    }

    @Test func aModelIsTrainedAndContinuesTexts() throws {
        let program = try Program()
        try prepare(program)
        let trained = try program.run("train", "lm", "config.json", "-o", "lm", "--json", "--quiet")
        expect(trained, 0)
        let report = try JSON(parsing: trained.output)
        #expect(try #require(report["perplexity"]?.double) < 4 && report["steps"]?.int == 80)

        _ = try program.write("prompts.txt", "b c d\nf g\n")
        let greedy = try program.run("generate", "lm", "prompts.txt", "--max-length", "3", "--quiet")
        expect(greedy, 0)
        let lines = greedy.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("e") && lines[1].contains("h"))
        // The same whatever the batch and the threads; samples too.
        let sampled = ["generate", "lm", "prompts.txt", "--sample", "--outputs", "3", "--seed", "5", "--json", "--quiet"]
        #expect(
            try program.run(sampled + ["--batch-size", "1", "--threads", "1"]).output == program.run(sampled + ["--threads", "2"]).output)
        #expect(try program.run(sampled).output != program.run(sampled + ["--temperature", "3"]).output)
        for precision in ["bf16", "int8"] {
            let run = ["generate", "lm", "prompts.txt", "--max-length", "3", "--precision", precision, "--quiet"]
            let together = try program.run(run)
            #expect(together.output == greedy.output, "\(precision): \(together)")
            #expect(try program.run(run + ["--batch-size", "1", "--threads", "1"]).output == together.output)
        }
        let beam = try program.run("generate", "lm", "prompts.txt", "--beam", "3", "--outputs", "2", "--max-length", "2", "--quiet")
        #expect(beam.status == 0 && beam.output.split(separator: "\n").count == 4)
        // The same model makes vectors.
        #expect(try program.run("embed", "prompts.txt", "-o", "v.h5", "--model", "lm", "--quiet").status == 0)
    }

    @Test func whatDoesNotGoIsSaid() throws {
        let program = try Program()
        try prepare(program)
        #expect(try program.run("train", "lm", "config.json", "-o", "lm", "--steps", "2", "--quiet").status == 0)
        _ = try program.write("prompts.txt", "b c d\n")
        expect(try program.run("generate", "lm", "prompts.txt", "--score", "1"), 64, "--score", "continues texts")
        expect(try program.run("train", "lm", "config.json", "-o", "lm"), 73, "--force")
        _ = try program.write("long.txt", String(repeating: "a b c d ", count: 40) + "\n")
        expect(try program.run("generate", "lm", "long.txt"), 65, "long.txt", "reads 32")
        _ = try program.write("slip.json", #"{"tokenizer": "tokenizer.json", "files": ["corpus.txt"], "stepps": 3}"#)
        expect(try program.run("train", "lm", "slip.json", "-o", "other"), 65, "'stepps' is not known")
        _ = try program.write(
            "none.json",
            #"{"tokenizer": "none.json.gz", "files": ["corpus.txt"], "steps": 3, "model": {"hidden_size": 16, "layers": 1, "heads": 2, "intermediate_size": 24}}"#
        )
        expect(try program.run("train", "lm", "none.json", "-o", "other"), 66, "tokenizer")
    }
}

private extension String {
    subscript(_ index: Int) -> String { String(self[self.index(startIndex, offsetBy: index)]) }
}
