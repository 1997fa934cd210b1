import ArgumentParser
import ServiceOptions

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: ServeArguments.abstract, discussion: ServeArguments.discussion)

    @OptionGroup var arguments: ServeArguments
    @OptionGroup(title: "Server") var server: ServerOptions

    func run() throws { try ServerProgram.become() }
}

struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore", abstract: ExploreArguments.abstract, discussion: ExploreArguments.discussion)

    @OptionGroup var arguments: ExploreArguments
    @OptionGroup(title: "Server") var server: ServerOptions

    func run() throws { try ServerProgram.become() }
}
