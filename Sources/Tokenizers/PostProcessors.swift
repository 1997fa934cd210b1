import FileFormats

/// The step that adds the model's special tokens and puts a pair together, as `tokenizer.json` names it.
indirect enum PostProcessor: Sendable {
    case template(TemplateProcessing)
    case bert(cls: SpecialToken, sep: SpecialToken)
    case roberta(cls: SpecialToken, sep: SpecialToken, trimsOffsets: Bool, addsPrefixSpace: Bool)
    case byteLevel(trimsOffsets: Bool, addsPrefixSpace: Bool)
    case sequence([PostProcessor])

    struct SpecialToken: Sendable {
        var token: String
        var id: Int32
    }

    /// The number of tokens that are added to a sequence or a pair.
    func addedTokens(isPair: Bool) -> Int {
        switch self {
        case .template(let template): template.addedTokens(isPair: isPair)
        case .bert: isPair ? 3 : 2
        case .roberta: isPair ? 4 : 2
        case .byteLevel: 0
        case .sequence(let steps): steps.reduce(0) { $0 + $1.addedTokens(isPair: isPair) }
        }
    }

    /// One encoding for each input sequence in; the parts that follow one another out. `texts` are the original bytes.
    func process(_ encodings: [Encoding], addsSpecialTokens: Bool, texts: [[UInt8]]) -> [Encoding] {
        switch self {
        case .template(let template): return template.process(encodings, addsSpecialTokens: addsSpecialTokens)
        case .bert(let cls, let sep):
            guard addsSpecialTokens else { return encodings }
            return encodings.enumerated().map { i, encoding in
                Self.framed(encoding, before: i == 0 ? cls : nil, after: sep, typeID: i == 0 ? 0 : 1)
            }
        case .roberta(let cls, let sep, let trims, let prefix):
            var encodings = encodings
            if trims { Self.trim(&encodings, texts, prefix) }
            for i in encodings.indices { encodings[i].setTypeID(0) }
            guard addsSpecialTokens else { return encodings }
            return encodings.enumerated().map { i, encoding in
                var encoding = encoding
                for k in encoding.overflow.indices { encoding.overflow[k].setTypeID(0) }
                return Self.framed(encoding, before: i == 0 ? cls : sep, after: sep, typeID: 0)
            }
        case .byteLevel(let trims, let prefix):
            var encodings = encodings
            if trims { Self.trim(&encodings, texts, prefix) }
            return encodings
        case .sequence(let steps):
            return steps.reduce(encodings) { $1.process($0, addsSpecialTokens: addsSpecialTokens, texts: texts) }
        }
    }

    private static func framed(_ encoding: Encoding, before: SpecialToken?, after: SpecialToken, typeID: Int32) -> Encoding {
        var result = Encoding()
        if let before { result.append(id: before.id, typeID: typeID, token: before.token, offsets: 0..<0, special: 1) }
        var text = encoding
        text.overflow = []
        result.merge(text)
        result.append(id: after.id, typeID: typeID, token: after.token, offsets: 0..<0, special: 1)
        result.overflow = encoding.overflow.map { framed($0, before: before, after: after, typeID: typeID) }
        return result
    }

    /// Leaves the white space that byte-level tokens carry out of their offsets.
    private static func trim(_ encodings: inout [Encoding], _ texts: [[UInt8]], _ addsPrefixSpace: Bool) {
        for i in encodings.indices {
            let text = i < texts.count ? texts[i] : []
            trim(&encodings[i], text, addsPrefixSpace)
            for k in encodings[i].overflow.indices { trim(&encodings[i].overflow[k], text, addsPrefixSpace) }
        }
    }

    private static func trim(_ encoding: inout Encoding, _ text: [UInt8], _ addsPrefixSpace: Bool) {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar.value == 0x120 || ScalarProperties(scalar.value).flags.contains(.whitespace)
        }
        for i in encoding.ids.indices {
            let scalars = encoding.tokens[i].unicodeScalars
            var leading = scalars.prefix(while: isSpace).count
            let trailing = scalars.reversed().prefix(while: isSpace).count
            var start = encoding.offsets[i].lowerBound
            var end = encoding.offsets[i].upperBound
            if leading > 0 {
                if i == 0 || start == 0, addsPrefixSpace, leading == 1 { leading = 0 }
                start = min(text.index(start, movedBy: leading), end)
            }
            if trailing > 0, let moved = text.index(end, movedBackBy: trailing) { end = max(moved, start) }
            encoding.offsets[i] = start..<end
        }
    }
}

private extension [UInt8] {
    /// The byte position some characters further on; beyond the end, characters count one byte.
    func index(_ position: Int, movedBy characters: Int) -> Int {
        var position = position
        for _ in 0..<characters {
            position += 1
            while position < count, self[position] & 0xC0 == 0x80 { position += 1 }
        }
        return position
    }

    /// The byte position some characters back, nil if the text has fewer.
    func index(_ position: Int, movedBackBy characters: Int) -> Int? {
        var position = position
        for _ in 0..<characters {
            guard position > 0 else { return nil }
            position -= 1
            while position > 0, position < count, self[position] & 0xC0 == 0x80 { position -= 1 }
        }
        return position
    }
}

/// A template such as `[CLS] $A [SEP] $B:1 [SEP]:1`.
struct TemplateProcessing: Sendable {
    enum Piece: Sendable {
        case sequence(second: Bool, typeID: Int32)
        case special(name: String, typeID: Int32)
    }
    struct Special: Sendable {
        var ids: [Int32]
        var tokens: [String]
    }
    var single: [Piece]
    var pair: [Piece]
    var specials: [String: Special]

    func addedTokens(isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { sum, piece in
            if case .special(let name, _) = piece { sum + (specials[name]?.ids.count ?? 0) } else { sum }
        }
    }

    func process(_ encodings: [Encoding], addsSpecialTokens: Bool) -> [Encoding] {
        (encodings.count > 1 ? pair : single).compactMap { piece in
            switch piece {
            case .sequence(let second, let typeID):
                guard (second ? 1 : 0) < encodings.count else { return nil }
                var encoding = encodings[second ? 1 : 0]
                encoding.setTypeID(typeID)
                return encoding
            case .special(let name, let typeID):
                guard addsSpecialTokens, let special = specials[name] else { return nil }
                var encoding = Encoding()
                for (id, token) in zip(special.ids, special.tokens) {
                    encoding.append(id: id, typeID: typeID, token: token, offsets: 0..<0, special: 1)
                }
                return encoding
            }
        }
    }
}
