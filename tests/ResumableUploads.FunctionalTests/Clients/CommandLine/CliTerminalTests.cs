using ResumableUploads.FunctionalTests.Clients.DotNet;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

public class CliTerminalTests
{
    [Fact]
    public async Task Terminal_shows_bars_and_leaves_one_line_per_file()
    {
        Needs.Require(await Needs.RunAsync("script", "--version") == 0, "script (util-linux) is not installed.");
        await using ClientApp app = await ClientApp.StartAsync();
        CliUploadTests.Write(app, "[red]a.bin", new byte[3_000_000]);
        CliUploadTests.Write(app, "b.bin", new byte[3_000_000]);
        string typescript = Path.Combine(app.Files, "typescript");
        string command = $"export TERM=xterm-256color XDG_STATE_HOME='{app.Files}/.state' DOTNET_EnableDiagnostics=0; unset NO_COLOR; stty cols 100 rows 30; cd '{app.Files}'; "
            + $"dotnet exec '{CliProcess.Dll}' '[red]a.bin' b.bin --to {app.Endpoint}";

        Assert.Equal(0, await Needs.RunAsync("script", "-qec", command, typescript).WaitAsync(ChildHost.Timeout, TimeProvider.System));

        string screen = await File.ReadAllTextAsync(typescript);
        Assert.Contains("Total (2 files)", screen, StringComparison.Ordinal);
        Assert.Contains('━', screen);
        Assert.Contains("\e[38;5;2m✓ \e[0m[red]a.bin: uploaded 2.9 MiB", screen, StringComparison.Ordinal);
        Assert.Contains("2 uploaded.", screen, StringComparison.Ordinal);
        Assert.EndsWith("\e[?25h", screen[..screen.LastIndexOf("\nScript done", StringComparison.Ordinal)].TrimEnd(), StringComparison.Ordinal);
    }
}
