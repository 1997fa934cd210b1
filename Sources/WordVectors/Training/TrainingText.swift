import FileFormats
import Glibc
import Tokenizers

/// A training text as numbers of words, on the disk: read once, whatever cuts it into words, then streamed in every epoch.
///
/// The numbers lie in an unnamed temporary file that is mapped; pages that were passed are given back, so that memory depends on the
/// vocabulary only.
public final class TrainingText: @unchecked Sendable {
    // Written only in `init`; afterwards the mapping is read only.
    package let vocabulary: Vocabulary
    /// Numbers of words, sentences ended by `end`.
    let ids: UnsafeBufferPointer<UInt32>
    package let sentences: Int
    /// SHA-256 of the numbers and words: what an interrupted run is checked against.
    package let sha256: String
    private let base: UnsafeMutableRawPointer?
    private let size: Int

    static let end = UInt32.max
    /// Longer sentences are cut, as in word2vec.c.
    package static let longestSentence = 1000

    /// How text becomes words.
    public typealias Splitter = @Sendable (_ line: UnsafeRawBufferPointer, _ word: (UnsafeRawBufferPointer) -> Void) throws -> Void

    /// Words between white space of ASCII, as in word2vec.c and fastText. Invalid UTF-8 is kept.
    public static let spaces: Splitter = { line, word in
        var start = 0
        for i in 0...line.count where i == line.count || line[i] == 0x20 || line[i] >= 0x09 && line[i] <= 0x0D || line[i] == 0 {
            if i > start { word(UnsafeRawBufferPointer(rebasing: line[start..<i])) }
            start = i + 1
        }
    }

    /// Which words are kept, and where words are held while the text is read.
    public struct Options: Sendable {
        /// Rarer words are left out.
        public var minimumCount = 5
        /// Most words to keep; nil for all.
        package var maximumVocabulary: Int?
        /// While reading, rare words are dropped when there are more than this.
        package var maximumHeld = 20_000_000
        /// Where the temporary file goes; the folder of the output.
        public var folder = "."
        /// Words that occur at least five times; the temporary file goes to the working directory.
        public init() {}
    }

    /// - Parameters:
    ///   - lines: calls back with every line of the text and its position.
    ///   - split: cuts a line into words.
    /// - Throws: `DataError` if no word is frequent enough (the largest count is named), or the disk is full.
    package init(
        options: Options = Options(), name: String, split: @escaping Splitter,
        lines: (_ line: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let scratch = try IDFile(folder: options.folder)
        var words = WordList(), counts: [Int] = []
        // A word that is dropped and comes again gets another provisional number, so that numbers in the file stay true.
        var provisional: [UInt32] = [], next: UInt32 = 0, total = 0, least = 1, isHere = false
        try lines { line in
            var inSentence = 0
            try split(line) { word in
                let (index, isNew) = words.insert(word)
                if isNew {
                    counts.append(1)
                    provisional.append(next)
                    next += 1
                } else {
                    counts[index] += 1
                }
                total += 1
                if inSentence == Self.longestSentence {
                    scratch.append(Self.end)
                    inSentence = 0
                }
                scratch.append(provisional[index])
                inSentence += 1
            }
            if inSentence > 0 { scratch.append(Self.end) }
            try scratch.check()
            guard next < UInt32.max - (1 << 24) else {
                throw DataError(.badData, "the text has more different words than can be numbered", file: name)
            }
            if words.count > options.maximumHeld {
                // As word2vec.c does: what is rarest so far goes, a little more each time.
                var kept = WordList(), keptCounts: [Int] = [], keptNumbers: [UInt32] = []
                for word in 0..<words.count where counts[word] > least {
                    words.bytes(of: word).withUnsafeBytes { _ = kept.insert($0) }
                    keptCounts.append(counts[word])
                    keptNumbers.append(provisional[word])
                }
                (words, counts, provisional) = (kept, keptCounts, keptNumbers)
                least += 1
            }
            isHere = true
        }
        guard isHere, total > 0 else { throw DataError(.badData, "no words found", file: name) }
        let order = counts.indices.filter { counts[$0] >= options.minimumCount }.sorted { (-counts[$0], $0) < (-counts[$1], $1) }
        let kept = order.prefix(options.maximumVocabulary ?? .max)
        guard kept.count >= 2 else {
            let most = counts.max() ?? 0
            throw DataError(
                .badData,
                "\(kept.count == 0 ? "no word" : "only one word") occurs at least \(options.minimumCount) times, but two are "
                    + "needed; the most frequent of \(words.count) occurs \(most) times. Lower \(Setting.minimumCount), or check how the text is split into words",
                file: name)
        }
        var list = WordList(), sorted: [Int] = []
        var final = [UInt32](repeating: Self.end, count: Int(next))
        for word in kept {
            final[Int(provisional[word])] = UInt32(list.count)
            words.bytes(of: word).withUnsafeBytes { _ = list.insert($0) }
            sorted.append(counts[word])
        }
        vocabulary = Vocabulary(words: list, counts: sorted, totalTokens: total)
        // Final numbers, in place: rare words leave, empty sentences with them.
        let (memory, bytes) = try scratch.mapped()
        var sentences = 0, written = 0, length = 0
        if let memory {
            let all = memory.bindMemory(to: UInt32.self, capacity: bytes / 4)
            for i in 0..<bytes / 4 {
                if i % Self.span == 0, i > 0 {
                    Self.letGo(memory, numbers: i - Self.span..<i)
                    Self.letGo(memory, numbers: max(0, written - 2 * Self.span)..<written)
                }
                if all[i] == Self.end {
                    if length > 0 {
                        all[written] = Self.end
                        written += 1
                        sentences += 1
                    }
                    length = 0
                } else if final[Int(all[i])] != Self.end {
                    all[written] = final[Int(all[i])]
                    written += 1
                    length += 1
                }
            }
            ids = UnsafeBufferPointer(start: all, count: written)
        } else {
            ids = UnsafeBufferPointer(start: nil, count: 0)
        }
        base = memory
        size = bytes
        self.sentences = sentences
        var hash = SHA256()
        for start in stride(from: 0, to: ids.count, by: Self.span) {
            let part = start..<min(ids.count, start + Self.span)
            hash.update(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: ids[part])))
            if let memory { Self.letGo(memory, numbers: part) }
        }
        for word in 0..<list.count {
            list.bytes(of: word).withUnsafeBytes { hash.update($0) }
            withUnsafeBytes(of: sorted[word].littleEndian) { hash.update($0) }
        }
        sha256 = hash.finalizeHex()
    }

    /// The lines of text files, packed by gzip or not; `-` is standard input. Bytes are taken as they are.
    public convenience init(
        files: [String], options: Options = Options(), split: @escaping Splitter = TrainingText.spaces, isCancelled: () -> Bool = { false }
    ) throws {
        try self.init(options: options, name: files.joined(separator: ", "), split: split) { line in
            for file in files {
                let reader = try ByteReader(path: file)
                var number = 0
                while let _: Void = try reader.next(upTo: 0x0A, limit: 1 << 30, line) {
                    number += 1
                    if number % 4096 == 0, isCancelled() {
                        throw DataError(.interrupted, "stopped while the text was read; nothing is kept")
                    }
                }
            }
        }
    }

    /// Numbers read or written at a time before their pages are given back.
    static let span = 1 << 22

    /// Gives back the pages of numbers that were passed; they stay in the file, and come back when they are read again.
    func passed(_ numbers: Range<Int>) { if let base { Self.letGo(base, numbers: numbers) } }

    private static func letGo(_ memory: UnsafeMutableRawPointer, numbers: Range<Int>) {
        let page = 4096, first = numbers.lowerBound * 4 / page * page, end = numbers.upperBound * 4 / page * page
        if end > first { madvise(memory + first, end - first, MADV_DONTNEED) }
    }

    deinit { if let base { munmap(base, size) } }
}

/// A temporary file of numbers that no name points at: it is gone with the process.
private final class IDFile {
    private let descriptor: Int32
    private let folder: String
    private var buffer: [UInt32] = []
    private var failure: Int32 = 0

    init(folder: String) throws {
        self.folder = folder
        // 0o20000000 is __O_TMPFILE, which Glibc's module does not export.
        var opened = open(folder, O_RDWR | O_CLOEXEC | O_DIRECTORY | 0o20000000, 0o600)
        if opened < 0 {
            var template = Array((folder + "/.words-XXXXXX").utf8CString)
            opened = mkstemp(&template)
            if opened >= 0 { unlink(template) }
        }
        guard opened >= 0 else { throw SystemError.cannotCreate(folder + "/words") }
        descriptor = opened
        buffer.reserveCapacity(1 << 16)
    }

    deinit { close(descriptor) }

    func append(_ id: UInt32) {
        buffer.append(id)
        if buffer.count == 1 << 16 { flush() }
    }

    private func flush() {
        buffer.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count, failure == 0 {
                let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
                if count < 0 { if errno != EINTR { failure = errno } } else { done += count }
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    func check() throws { if failure != 0 { throw SystemError.cannotWrite(folder + "/words", failure) } }

    /// The whole file in memory, for reading and rewriting.
    func mapped() throws -> (UnsafeMutableRawPointer?, Int) {
        flush()
        try check()
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size > 0 else { return (nil, 0) }
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw SystemError.cannotWrite(folder + "/words")
        }
        return (memory, size)
    }
}
