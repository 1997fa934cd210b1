import Kotonoha
import Synchronization

extension ComputeQueue {
    /// One request.
    final class Job: @unchecked Sendable {
        // Sendable: what changes is touched under the queue's lock, but for `values`, of which each row is written by the one worker that
        // computed it, before the lock is taken that tells that it is there.
        let engine: any BatchEngine
        let count: Int
        let bytes: Int
        let isUrgent: Bool
        let prepare: @Sendable (Int) throws -> PreparedText
        let finish = Mutex<(@Sendable (Result<Rows, any Error>) -> Void)?>(nil)
        private let values: UnsafeMutableBufferPointer<Float>

        // Under the queue's lock.
        var nextToPrepare = 0
        var prepared: [PreparedText?]
        var preparedCount = 0
        var nextToCompute = 0
        var computedCount = 0
        var tokens = 0
        var waitingTokens = 0
        var truncated: [Int] = []
        var isOver = false
        /// A later request went before its next text.
        var wasPassed = false

        init(engine: any BatchEngine, count: Int, bytes: Int, isUrgent: Bool, prepare: @escaping @Sendable (Int) throws -> PreparedText) {
            (self.engine, self.count, self.bytes, self.isUrgent, self.prepare) = (engine, count, bytes, isUrgent, prepare)
            prepared = Array(repeating: nil, count: count)
            values = .allocate(capacity: count * engine.width)
        }
        deinit { values.deallocate() }

        func store(_ rows: Tensor<Float>, from first: Int, at texts: Range<Int>) {
            let width = engine.width
            rows.withUnsafeElements { from in
                (values.baseAddress! + texts.lowerBound * width).update(from: from + first * width, count: texts.count * width)
            }
        }

        /// Tokens of the next texts: of all, or until they are `wanted` together.
        func nextLengths(reaching wanted: Int) -> [Int] {
            var lengths: [Int] = [], sum = 0
            for text in prepared[nextToCompute...] {
                guard sum < wanted else { break }
                lengths.append(text?.ids.count ?? 0)
                sum += lengths[lengths.count - 1]
            }
            return lengths
        }

        func rows() -> Rows { Rows(values: Array(values), width: engine.width, tokens: tokens, truncated: truncated) }

        /// Answers once; later calls change nothing.
        func end(_ result: Result<Rows, any Error>) {
            let finish = finish.withLock { finish in
                defer { finish = nil }
                return finish
            }
            finish?(result)
        }
    }
}
