import FileFormats
import Foundation
import ModelFolders
import SentenceEmbedding
import Tensors
import VectorStore

/// The server that `KOTONOHA_SERVER` names by its socket: interactive work then has no model to load.
enum RunningServer {
    /// The server's encoder, nil where none is named, none answers, or it has no model that fits; the model is loaded here then.
    static func encoder(isQuiet: Bool, where fits: (RemoteEncoder.Description) -> Bool) -> RemoteEncoder? {
        guard let socket = ProcessInfo.processInfo.environment["KOTONOHA_SERVER"], !socket.isEmpty else { return nil }
        do {
            if let found = try RemoteEncoder(socket: socket, where: fits) { return found }
            if !isQuiet { Console.say("note: the server at \(socket) does not have this model with these settings, so it is loaded here") }
        } catch {
            if !isQuiet { Console.say("note: \(error); the model is loaded here") }
        }
        return nil
    }
}

extension ModelOptions {
    /// The encoder of a running server where that has the model, else as `textEncoder`.
    func interactiveEncoder(isQuiet: Bool, fittingTo pass: (_ batch: ([String]) throws -> Void) throws -> Void) throws -> any TextEncoder {
        let wanted = model ?? ModelLocation.defaultName, last = URL(fileURLWithPath: wanted).lastPathComponent, options = encoderOptions
        if !isWordFile, pooling == nil, mecab == nil,
            let remote = RunningServer.encoder(isQuiet: isQuiet, where: { ($0.id == wanted || $0.id == last) && $0.fits(options) })
        {
            return remote
        }
        return try textEncoder(isQuiet: isQuiet, fittingTo: pass)
    }

    /// The encoder of a running server where it is the one that made the file, else as the file says.
    func queryEncoder(for file: VectorFile, isQuiet: Bool) throws -> any TextEncoder {
        let metadata = file.metadata
        let isPlain =
            model == nil && precision == nil && maxLength == nil && prompt == nil && promptName == nil && truncateDim == nil && !normalize
        if isPlain,
            let remote = RunningServer.encoder(
                isQuiet: isQuiet,
                where: {
                    $0.sha256 == metadata.modelSHA256 && $0.precision == metadata.precision && $0.maxLength == metadata.maxLength
                        && $0.prompt == metadata.prompt
                        && $0.dimension == file.dimension && $0.isNormalized == metadata.isNormalized
                })
        {
            return remote
        }
        if let precision {
            precision.note(isQuiet: isQuiet)
        } else {
            Precision(rawValue: metadata.precision)?.noteIfMissing(isQuiet: isQuiet)
        }
        return try SentenceEncoder(for: file, overriding: overrides)
    }
}
