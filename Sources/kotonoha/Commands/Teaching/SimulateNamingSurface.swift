import Figures
import FileFormats
import Foundation
import Simulation

/// The simulated parameter space of the naming model, kept between runs.
enum NamingSurface {
    /// Reads the surface, or simulates and keeps it.
    static func open(
        _ variant: NamingModel.Variant, trials: Int, seed: UInt64, threads: Int, file: String?, isQuiet: Bool
    ) throws -> ProbabilitySurface {
        let name = "naming \(variant.rawValue) 2", path = try file ?? cached("naming-\(variant.rawValue)-2-\(trials)-\(seed).json")
        if FileManager.default.fileExists(atPath: path) {
            let surface = try ProbabilitySurface(path: path, named: name)
            if !isQuiet {
                Console.say(
                    "note: the parameter space of \(variant.rawValue) was simulated before (\(Console.fixed(surface.seconds, 1)) s)")
            }
            return surface
        }
        if !isQuiet { Console.say("simulating the parameter space of \(variant.rawValue) (once) …") }
        let surface = try NamingFitter.surface(NamingModel(variant), trials: trials, seed: seed, threads: threads)
        if !isQuiet { Console.say("done in \(Console.fixed(surface.seconds, 1)) s") }
        do { try surface.write(to: path, named: name) } catch let error as DataError {
            // A cache that cannot be written costs time only; a file that was asked for is another matter.
            if file != nil { throw error }
            if !isQuiet { Console.say("note: it could not be saved: \(error)") }
        }
        return surface
    }

    private static func cached(_ name: String) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
            ?? URL(fileURLWithPath: NSHomeDirectory()).appendingPathComponent(".cache")
        let folder = cache.appendingPathComponent("kotonoha")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent(name).path
    }
}

extension SimulateNamingCommand {
    /// People on the plane of the two parameters, coloured by the proportion correct.
    static func map(_ fitter: NamingFitter, _ fits: [NamingFit], _ options: SimulationOptions) throws -> any Figure {
        let surface = fitter.surface, cells = 48
        func value(_ axis: ProbabilitySurface.Axis, _ share: Double) -> Double {
            axis.isLogarithmic
                ? axis.range.lowerBound * pow(axis.range.upperBound / axis.range.lowerBound, share)
                : axis.range.lowerBound + share * (axis.range.upperBound - axis.range.lowerBound)
        }
        let values = (0..<cells).map { r in
            (0..<cells).map { c in
                surface.probabilities(
                    value(surface.x, (Double(c) + 0.5) / Double(cells)), value(surface.y, (Double(r) + 0.5) / Double(cells)))[0]
            }
        }
        func interval(_ fit: NamingFit, _ name: String) -> (low: Double?, high: Double?)? {
            fit.fit.parameters.first { $0.name == name }.map { ($0.low, $0.high) }
        }
        var o = PlaneMap.Options()
        o.page = try options.page()
        o.title = options.says("Parameters of \(fits.count) people", "\(fits.count) 名のパラメーター")
        o.caption = options.says(
            "Lines: 95 % profile intervals. \(fitter.model.variant == .semanticPhonological ? "Foygel & Dell (2000)" : "Dell et al. (1997)"), \(surface.trials) simulated pictures at each of \(surface.x.count) × \(surface.y.count) points.",
            "線は 95 % プロファイル区間。\(fitter.model.variant == .semanticPhonological ? "Foygel & Dell (2000)" : "Dell ら (1997)")、\(surface.x.count) × \(surface.y.count) 点で各 \(surface.trials) 試行。"
        )
        let titles: [String: (String, String)] = [
            "s": ("semantic weight s", "意味の重み s"), "p": ("phonological weight p", "音韻の重み p"), "weight": ("connection weight", "結合の重み"),
            "decay": ("decay", "減衰率"),
        ]
        o.xTitle = titles[surface.x.name].map { options.says($0.0, $0.1) }
        o.yTitle = titles[surface.y.name].map { options.says($0.0, $0.1) }
        o.valueTitle = options.says("proportion correct", "正答率")
        o.valueRange = 0...1
        (o.hasLogarithmicX, o.hasLogarithmicY) = (surface.x.isLogarithmic, surface.y.isLogarithmic)
        return try PlaneMap(
            values, x: surface.x.range, y: surface.y.range,
            places: fits.map {
                PlaneMap.Place(
                    $0.responses.name, x: $0.values[0], y: $0.values[1], xInterval: interval($0, surface.x.name),
                    yInterval: interval($0, surface.y.name))
            }, options: o)
    }
}
