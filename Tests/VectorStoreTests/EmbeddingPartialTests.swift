import FileFormats
import Foundation
import Testing
import VectorStore

@Suite struct EmbeddingPartialTests {
    let scratch = Scratch()
    let fingerprint = ["source_sha256": "cd34", "model_sha256": "ab12", "pooling": "mean", "precision": "f32", "prompt": ""]

    private func undisturbed(_ rows: Int) throws -> Data {
        let partial = try EmbeddingPartial(output: scratch.path("whole.h5"), layout: layout, fingerprint: fingerprint, resume: false)
        for start in stride(from: 0, to: rows, by: 100) { try partial.append(block(start..<min(start + 100, rows))) }
        try partial.assemble(metadata: metadata)
        return try bytes(of: scratch.path("whole.h5"))
    }

    @Test func resumesAfterAnyBlockToTheSameBytes() throws {
        let expected = try undisturbed(950)
        let output = scratch.path("v.h5")
        var done = 0
        while done < 950 {
            // Every life of the process adds a block of another size, and leaves debris.
            let partial = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: true)
            #expect(partial.completeRows == done)
            let end = min(done + 1 + done / 2 + 13, 950)
            try partial.append(block(done..<end))
            done = end
            try Data("half a block".utf8).write(to: URL(fileURLWithPath: output + ".partial/.rows-000000000000.block.1-a.tmp"))
        }
        #expect(EmbeddingPartial.exists(for: output))
        let partial = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: true)
        #expect(partial.completeRows == 950)
        try partial.assemble(metadata: metadata)
        #expect(try bytes(of: output) == expected)
        #expect(scratch.contents == ["v.h5", "whole.h5"])
    }

    @Test func countsNoDamagedBlock() throws {
        let output = scratch.path("v.h5")
        do {
            let partial = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: false)
            for start in [0, 10, 20] { try partial.append(block(start..<start + 10)) }
        }
        let name = output + ".partial/rows-000000000010.block"
        let whole = try bytes(of: name)
        var damaged = whole
        damaged[200] ^= 1
        for content in [damaged, whole.prefix(100), Data(), whole + Data([0])] {
            try Data(content).write(to: URL(fileURLWithPath: name))
            let third = output + ".partial/rows-000000000020.block"
            let kept = try bytes(of: third)
            let partial = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: true)
            #expect(partial.completeRows == 10)
            try kept.write(to: URL(fileURLWithPath: third))
        }
    }

    @Test func refusesOtherWork() throws {
        let output = scratch.path("v.h5")
        do {
            let partial = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: false)
            try partial.append(block(0..<10))
            let second = try failure { _ = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: true) }
            #expect(second.message.contains("another process"))
        }
        var other = fingerprint
        other["model_sha256"] = "ffff"
        let error = try failure { _ = try EmbeddingPartial(output: output, layout: layout, fingerprint: other, resume: true) }
        #expect(error.message.contains("model_sha256 was ab12 and is now ffff"), "\(error)")
        var wider = layout
        wider.dimension = 13
        #expect(
            try failure { _ = try EmbeddingPartial(output: output, layout: wider, fingerprint: fingerprint, resume: true) }.message
                .contains("dimension"))
        // Without resume the work begins anew.
        #expect(try EmbeddingPartial(output: output, layout: layout, fingerprint: other, resume: false).completeRows == 0)
        #expect(
            try failure { _ = try EmbeddingPartial(output: scratch.path("no/v.h5"), layout: layout, fingerprint: other, resume: false) }
                .kind == .cannotCreate)
    }

    @Test func appendsRowsOfTheSameMaking() throws {
        let output = scratch.path("v.h5")
        let first = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: false)
        try first.append(block(0..<70))
        try first.assemble(metadata: metadata)
        var other = fingerprint
        other["pooling"] = "cls"
        let error = try failure {
            _ = try EmbeddingPartial(output: output, layout: layout, fingerprint: other, resume: false, appendingTo: output)
        }
        #expect(error.message.contains("pooling is mean, that of the new rows cls"), "\(error)")
        var narrow = layout
        narrow.columnNames = []
        // Other columns do no harm: their cells are empty where a row has none.
        #expect(
            try EmbeddingPartial(output: output, layout: narrow, fingerprint: fingerprint, resume: false, appendingTo: output)
                .missingColumns == layout.columnNames)
        let second = try EmbeddingPartial(output: output, layout: layout, fingerprint: fingerprint, resume: false, appendingTo: output)
        try second.append(block(70..<100))
        try second.assemble(metadata: metadata)
        let file = try VectorFile(path: output)
        #expect(try file.block(rows: 0..<100) == block(0..<100))
        #expect(file.metadata.source == "captions.txt + captions.txt")
        // The same rows are not added twice by a resume after the end.
        #expect(scratch.contents == ["v.h5"])
    }
}
