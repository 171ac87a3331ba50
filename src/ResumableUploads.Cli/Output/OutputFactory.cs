using ResumableUploads.Cli.CommandLine;
using Spectre.Console;

namespace ResumableUploads.Cli.Output;

/// <summary>Chooses the output.</summary>
internal static class OutputFactory
{
    public static IRunOutput Create(OutputSettings settings, TimeProvider timeProvider)
    {
        if (settings.Json)
        {
            return new JsonOutput(Console.Out, settings.Quiet, timeProvider);
        }

        bool isTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return isTerminal && !settings.Quiet && CreateConsole(settings) is { Profile.Capabilities.Ansi: true } console
            ? new TerminalOutput(console, timeProvider)
            : new PlainOutput(Console.Out, Console.Error, settings.Quiet, timeProvider);
    }

    private static IAnsiConsole CreateConsole(OutputSettings settings) => AnsiConsole.Create(new AnsiConsoleSettings
    {
        ColorSystem = settings.NoColor ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        Interactive = InteractionSupport.Yes,
        Out = new TerminalDevice(Console.Out),
    });
}
