using System.Text.Json;
using ResumableUploads.FunctionalTests.Clients.DotNet;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.CommandLine;

public class CliStatusTests
{
    private const int Size = 12 * 1024 * 1024;
    private const int Limit = 3 * 1024 * 1024;

    [Theory]
    [InlineData("file-id")]
    [InlineData("tus")]
    [InlineData("ietf")]
    public async Task Status_and_cancel_follow_an_upload(string protocol)
    {
        Needs.Require(!OperatingSystem.IsWindows(), "Signals require Unix.");
        var gate = new BodyGate(Limit);
        await using ClientApp app = await ClientApp.StartAsync(middleware: gate.RunAsync);
        CliUploadTests.Write(app, "first.bin", [1]);
        CliUploadTests.Write(app, "large.bin", new byte[Size]);
        string[] files = ["first.bin", "large.bin", "--to", app.Endpoint.ToString(), "--protocol", protocol, "--json"];

        Assert.Equal(["not-started", "not-started"], await StatesAsync(app, ["status", .. files]));
        await using (CliProcess upload = CliProcess.Start(app.Files, [.. files, "-c", "1"]))
        {
            await Eventually.WithinAsync(gate.Reached);

            // The running upload is not stopped by these.
            Assert.Equal(["complete", "uploading"], await StatesAsync(app, ["status", .. files]));
            await using CliProcess second = await CliProcess.RunAsync(app.Files, files);
            second.AssertExited(1);
            Assert.Equal("locked", Assert.Single(second.EventsOf("failed")).GetProperty("reason").GetString());
            await using CliProcess canceled = await CliProcess.RunAsync(app.Files, ["cancel", "large.bin", .. files[2..]]);
            canceled.AssertExited(1);
            Assert.Empty(upload.EventsOf("failed"));

            upload.Signal(CliProcess.SigTerm);
            await upload.EndAsync();
            upload.AssertExited(3);
        }

        gate.Open();
        await using (CliProcess status = await CliProcess.RunAsync(app.Files, ["status", "large.bin", .. files[2..]]))
        {
            status.AssertExited(0);
            JsonElement entry = Assert.Single(status.EventsOf("status"));
            Assert.Equal("incomplete", entry.GetProperty("state").GetString());
            Assert.InRange(entry.GetProperty("offset").GetInt64(), Limit, Size - 1);
            Assert.Equal(Size, entry.GetProperty("size").GetInt64());
        }

        Assert.Equal(["complete", "canceled"], await StatesAsync(app, ["cancel", .. files]));
        Assert.Equal("not-started", (await StatesAsync(app, ["status", .. files]))[1]);
        Assert.Empty(Directory.GetFiles(Path.Combine(app.Files, ".state"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Status_prints_lines_for_people()
    {
        await using ClientApp app = await ClientApp.StartAsync();
        CliUploadTests.Write(app, "a.bin", [1]);
        CliUploadTests.Write(app, "b.bin", [1]);
        await using CliProcess upload = await CliProcess.RunAsync(app.Files, ["a.bin", "--to", app.Endpoint.ToString()]);

        await using CliProcess status = await CliProcess.RunAsync(app.Files, ["status", "a.bin", "b.bin", "--to", app.Endpoint.ToString()]);

        status.AssertExited(0);
        Assert.Equal(["a.bin: complete", "b.bin: not started"], status.Output);
    }

    private static async Task<string?[]> StatesAsync(ClientApp app, string[] arguments)
    {
        await using CliProcess run = await CliProcess.RunAsync(app.Files, arguments);
        run.AssertExited(0);
        return [.. run.Events.SkipLast(1).Select(static entry => entry.GetProperty("state").GetString())];
    }
}
