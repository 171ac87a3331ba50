using System.Security.Cryptography;
using System.Text.Json;
using ResumableUploads.FunctionalTests.Clients.DotNet;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

public class CliResumeTests
{
    private const int Size = 12 * 1024 * 1024;
    private const int Limit = 3 * 1024 * 1024;

    [Theory]
    [InlineData("file-id", 0)]
    [InlineData("tus", 0)]
    [InlineData("ietf", 0)]
    [InlineData("file-id", CliProcess.SigInt)]
    [InlineData("tus", CliProcess.SigInt)]
    [InlineData("ietf", CliProcess.SigTerm)]
    public async Task Same_command_sends_only_what_is_missing(string protocol, int signal)
    {
        Needs.Require(!OperatingSystem.IsWindows(), "Signals require Unix.");
        var gate = new BodyGate(Limit);
        await using ClientApp app = await ClientApp.StartAsync(middleware: gate.RunAsync);
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        CliUploadTests.Write(app, "first.bin", [1]);
        CliUploadTests.Write(app, "large.bin", content);
        string[] command = ["first.bin", "large.bin", "-c", "1", "--to", app.Endpoint.ToString(), "--protocol", protocol, "--json"];

        await using (CliProcess interrupted = CliProcess.Start(app.Files, command))
        {
            await Eventually.WithinAsync(gate.Reached);
            if (signal == 0)
            {
                await interrupted.KillAsync();
            }
            else
            {
                interrupted.Signal(signal);
                await interrupted.EndAsync();
                interrupted.AssertExited(3);
                JsonElement paused = Assert.Single(interrupted.EventsOf("paused"));
                Assert.Equal("large.bin", paused.GetProperty("path").GetString());
            }
        }

        gate.Open();
        int before = app.Requests.Count;
        await using CliProcess resumed = await CliProcess.RunAsync(app.Files, command);

        resumed.AssertExited(0);
        long offset = resumed.EventsOf("progress").First(static entry => entry.GetProperty("path").GetString() == "large.bin").GetProperty("offset").GetInt64();
        Assert.InRange(offset, Limit, Size - 1);
        Assert.Equal(Size - offset, app.Requests.Skip(before).Sum(static request => request.Length));
        Assert.Equal([true, false], resumed.EventsOf("completed").Select(static entry => entry.GetProperty("alreadyComplete").GetBoolean()));
        Assert.Equal(2, app.App.Finished.Count);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(app.App.Finished[1].Content));
        Assert.Empty(Directory.GetFiles(Path.Combine(app.Files, ".state"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Ctrl_C_keeps_private_state_and_says_how_to_continue()
    {
        Needs.Require(!OperatingSystem.IsWindows(), "Signals require Unix.");
        var gate = new BodyGate(Limit);
        await using ClientApp app = await ClientApp.StartAsync(middleware: gate.RunAsync);
        CliUploadTests.Write(app, "large.bin", new byte[Size]);

        await using CliProcess run = CliProcess.Start(app.Files, ["large.bin", "--to", app.Endpoint.ToString(), "--protocol", "tus"]);
        await Eventually.WithinAsync(gate.Reached);
        run.Signal(CliProcess.SigInt);
        await run.EndAsync();

        run.AssertExited(3);
        Assert.Equal("Paused: 0 uploaded, 1 not finished. Run the same command to continue.", run.Output[^1]);
        string state = Assert.Single(Directory.GetFiles(Path.Combine(app.Files, ".state"), "*", SearchOption.AllDirectories));
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(state));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(state)!));
        gate.Open();
    }

    [Fact]
    public async Task Standard_input_with_an_id_continues_where_the_server_is()
    {
        Needs.Require(!OperatingSystem.IsWindows(), "Signals require Unix.");
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        string[] command = ["-", "--id", "backup-1", "--chunk-size", "1MiB", "--to", app.Endpoint.ToString(), "--protocol", "tus", "--json"];

        await using (CliProcess interrupted = CliProcess.Start(app.Files, command))
        {
            await interrupted.Input.BaseStream.WriteAsync(content.AsMemory(0, Limit));
            await interrupted.Input.BaseStream.FlushAsync();
            await Eventually.TrueAsync(() => app.ReceivedBytes >= Limit, "the server has received the first part");

            // The producer is still running, so that the read of standard input cannot be interrupted.
            interrupted.Signal(CliProcess.SigInt);
            await interrupted.EndAsync();
            interrupted.AssertExited(3);
        }

        long before = app.ReceivedBytes;
        await using CliProcess resumed = CliProcess.Start(app.Files, command);
        await resumed.Input.BaseStream.WriteAsync(content);
        resumed.Input.Close();
        await resumed.EndAsync();

        resumed.AssertExited(0);
        app.AssertReceived(content);
        Assert.InRange(app.ReceivedBytes - before, 1, Size - Limit + (1024 * 1024));
    }

    [Fact]
    public async Task Second_signal_ends_the_command_at_once()
    {
        Needs.Require(!OperatingSystem.IsWindows(), "Signals require Unix.");
        await using ClientApp app = await ClientApp.StartAsync();
        CliUploadTests.Write(app, "file.bin", [1]);

        // Standard input that does not end keeps the first signal waiting.
        await using CliProcess run = CliProcess.Start(app.Files, ["-", "--to", app.Endpoint.ToString(), "--json"]);
        await Eventually.TrueAsync(() => run.Output.Any(static line => line.Contains("started", StringComparison.Ordinal)), "the upload has started");
        run.Signal(CliProcess.SigInt);
        run.Signal(CliProcess.SigTerm);
        await run.EndAsync();

        // Which of the signals is handled first is not defined.
        Assert.Contains(run.ExitCode, new[] { 128 + CliProcess.SigInt, 128 + CliProcess.SigTerm });
    }
}
