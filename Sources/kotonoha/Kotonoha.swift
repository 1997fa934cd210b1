import ArgumentParser

@main
struct KotonohaProgram: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "kotonoha", abstract: "Sentence vectors, and what they show.")
}
