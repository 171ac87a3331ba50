using ResumableUploads.Cli.CommandLine;
using Spectre.Console;

namespace ResumableUploads.Cli.Output;

/// <summary>Chooses the output.</summary>
internal static class OutputFactory
{
    public static IRunOutput Create(OutputSettings settings, CommandEnvironment environment)
    {
        if (settings.Json)
        {
            return new JsonOutput(environment.Output, settings.Quiet, environment.TimeProvider);
        }

        bool isTerminal = !Console.IsOutputRedirected && environment.GetVariable("TERM") != "dumb";
        return isTerminal && !settings.Quiet && CreateConsole(settings, environment.Output) is { Profile.Capabilities.Ansi: true } console
            ? new TerminalOutput(console, environment.TimeProvider)
            : new PlainOutput(environment.Output, environment.Error, settings.Quiet, environment.TimeProvider);
    }

    private static IAnsiConsole CreateConsole(OutputSettings settings, TextWriter output) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        ColorSystem = settings.NoColor ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        Interactive = InteractionSupport.Yes,
        Out = new TerminalDevice(output),
    });
}
