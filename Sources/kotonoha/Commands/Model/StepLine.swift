import FileFormats
import Synchronization
import Training

/// What a long measurement is at, on the terminal.
final class StepLine: Sendable {
    private let isQuiet: Bool
    private let state: Mutex<State>
    private struct State {
        var title = ""
        var steps: Int?
        var last = ContinuousClock.now
    }

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet || !Console.errorIsTerminal || Console.isDumb
        state = Mutex(State())
    }

    func begin(_ title: String, steps: Int? = nil) {
        state.withLock { ($0.title, $0.steps) = (title, steps) }
        guard !isQuiet else { return }
        StandardStreams.tell("\r\u{1B}[K" + Console.spoken(title).escapedForTerminal)
    }

    func show(_ event: TrainingEvent) {
        switch event {
        case .step(let step, let losses, _, _, _):
            state.withLock { state in
                guard !isQuiet, ContinuousClock.now - state.last > .milliseconds(200) else { return }
                state.last = .now
                let of = state.steps.map { " of \($0)" } ?? ""
                StandardStreams.tell(
                    "\r\u{1B}[K"
                        + Console.spoken("\(state.title): step \(step)\(of), loss \(Console.fixed(losses.first?.loss ?? .nan, 4))")
                        .escapedForTerminal)
            }
        case .resumed(let step, let file): if !isQuiet { Console.say("\nresuming after step \(step) from \(file)") }
        default: break
        }
    }

    func end() { if !isQuiet { StandardStreams.tell("\r\u{1B}[K") } }
}
