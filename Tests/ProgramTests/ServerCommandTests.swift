import Foundation
import TestSupport
import Testing

/// The commands whose work another program does.
@Suite struct ServerCommandTests {
    let program: Program

    init() throws { program = try Program() }

    @Test(arguments: [["serve"], ["explore", "map.h5"]])
    func sayWhereTheServerWasLookedFor(_ arguments: [String]) throws {
        let result = try program.run(arguments, environment: ["KOTONOHA_SERVE": "/nowhere/kotonoha-serve"])
        #expect(result.status == 69)
        #expect(result.errors.contains("/nowhere/kotonoha-serve") && result.errors.contains("tools/install"))
    }

    @Test func becomeTheServerWithTheSameArguments() throws {
        let path = try program.write("kotonoha-serve", "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\"\nexit 7\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let result = try program.run(["serve", "--model", "a b", "--port", "0", "--quiet"], environment: ["KOTONOHA_SERVE": path])
        #expect(result.status == 7)
        #expect(result.output.split(separator: "\n").dropFirst() == ["serve", "--model", "a b", "--port", "0", "--quiet"])
    }

    @Test(arguments: [
        ["serve", "--port", "70000"], ["serve", "--threads", "0"], ["serve", "--key", "a", "--key-file", "b"], ["explore"],
        ["serve", "words"],
    ])
    func refuseBeforeTheServerStarts(_ arguments: [String]) throws {
        let result = try program.run(arguments, environment: ["KOTONOHA_SERVE": "/bin/true"])
        #expect(result.status == 64)
    }

    /// A server that does not answer is said so, and the model is loaded here.
    @Test func aSilentServerIsNoObstacle() throws {
        let model = try TinyModel().folder.path
        let result = try program.run(
            ["similarity", "two dogs", "two cats", "--model", model], environment: ["KOTONOHA_SERVER": "/nowhere/socket"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("/nowhere/socket"))
        #expect(try program.run("similarity", "two dogs", "two cats", "--model", model).output == result.output)
    }
}
