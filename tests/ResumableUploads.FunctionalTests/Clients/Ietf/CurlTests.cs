using System.Diagnostics;
using System.Text.RegularExpressions;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.Ietf;

/// <summary>Runs the <c>curl</c> commands in <c>docs/clients/README.md</c>, with an interruption.</summary>
public class CurlTests
{
    private const string Begin = "<!-- curl -->\n```sh\n";
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Curl_commands_of_the_documentation_resume_and_complete_upload()
    {
        Needs.Require(await Needs.RunAsync("curl", "--version") is 0, "curl is not installed.");
        await using SampleHostProcess host = await SampleHostProcess.StartAsync("ResumableUploads:Ietf:InterimResponses=Always");
        using var file = new SourceFile("movie.mp4", 6_000_000);
        string directory = Path.GetDirectoryName(file.Path)!;
        Task running = RunAsync(Script(host.Address.Authority), directory);

        // The script kills the second command when this file exists.
        Task storing = host.WaitForBytesOnDiskAsync(1);
        await Task.WhenAny(storing, running);
        await File.WriteAllTextAsync(Path.Combine(directory, "stored"), "");
        await running;
        await storing;

        string created = await File.ReadAllTextAsync(Path.Combine(directory, "created"));
        Assert.Matches(@"^HTTP/1.1 104 [^\r]+\r\nLocation: /upload/[0-9a-f]{40}\r\n", created);
        Assert.Contains("\r\n\r\nHTTP/1.1 201 ", created, StringComparison.Ordinal);
        long offset = long.Parse(await File.ReadAllTextAsync(Path.Combine(directory, "offset")), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1, file.Size - 1);
        string last = await File.ReadAllTextAsync(Path.Combine(directory, "last"));
        Assert.Contains("HTTP/1.1 104 ", last, StringComparison.Ordinal);
        Assert.Contains("HTTP/1.1 201 ", last, StringComparison.Ordinal);
        Assert.Contains("Upload-Complete: ?1", last, StringComparison.Ordinal);
        await file.AssertArrivedAloneAsync(host);
    }

    /// <summary>Returns the documented commands with the placeholders filled in and the second command interrupted.</summary>
    private static string Script(string authority)
    {
        string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "clients", "README.md"));
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        string[] lines = page[begin..page.IndexOf("```", begin, StringComparison.Ordinal)].Replace("localhost:5080", authority, StringComparison.Ordinal).TrimEnd().Split('\n');
        Assert.Equal(8, lines.Length);
        lines[2] += " > created";
        lines[3] = Regex.Replace(lines[3], "/upload/\\.\\.\\.$", "$(sed -n 's/^Location: //p' created | head -n 1 | tr -d '\\r')");
        lines[4] += " --limit-rate 50k > cut &\nwhile [ ! -e stored ]; do sleep 0.1; done\nkill $! || true\nwait $! || true";
        lines[5] += " > status";
        lines[6] = "OFFSET=$(sed -n 's/^Upload-Offset: //p' status | tr -d '\\r')\nprintf '%s' \"$OFFSET\" > offset";
        lines[7] += " > last";
        return string.Join('\n', lines);
    }

    private static async Task RunAsync(string script, string directory)
    {
        using Process shell = Process.Start(new ProcessStartInfo("bash", ["-eu", "-c", script]) { WorkingDirectory = directory, RedirectStandardError = true })!;
        string errors = await shell.StandardError.ReadToEndAsync().WaitAsync(Timeout);
        await shell.WaitForExitAsync();
        Assert.True(shell.ExitCode == 0, $"{script}\n{errors}");
    }
}
