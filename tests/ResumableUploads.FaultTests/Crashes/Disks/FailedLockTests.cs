using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>The file system fails to lock a file, with real kernel errors injected by strace. An upload without its lock is never changed.</summary>
public class FailedLockTests
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(200_000);

    [Theory]
    [InlineData("ENOLCK", "No locks available")]
    [InlineData("EIO", "Input/output error")]
    public async Task Append_whose_lock_fails_is_rejected_and_changes_nothing(string error, string message)
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await using (ChildHost child = await ChildHost.StartAsync(directory.Root))
        {
            using HttpResponseMessage first = await child.Client.AppendAsync("f", 0, Content[..100_000], Content.Length, ("X-File-Name", "f"));
            Assert.Equal("100000", await first.Content.ReadAsStringAsync());
        }

        string lockFile = Assert.Single(Directory.GetFiles(directory.Of("f"), "*.lock"));
        await using (ChildHost failing = await ChildHost.StartUnderAsync(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-P", lockFile, "-e", "trace=flock", "-e", $"inject=flock:error={error}:when=1+"], directory.Root))
        {
            using HttpResponseMessage response = await failing.Client.AppendAsync("f", 100_000, Content[100_000..], Content.Length);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Contains("urn:resumable-uploads:storage-failed", await response.Content.ReadAsStringAsync());
            await failing.LogsAsync(message);
            Assert.Equal(Content[..100_000], directory.BytesOf("f"));
        }

        await using ChildHost next = await ChildHost.StartAsync(directory.Root);
        Assert.Equal(100_000, await next.Client.StatusAsync("f"));
        using HttpResponseMessage last = await next.Client.AppendAsync("f", 100_000, Content[100_000..], Content.Length);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        directory.AssertFinished("f", Content);
    }
}
