using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>The disk refuses to sync, with real kernel errors injected by strace.</summary>
public class FailedSyncTests
{
    private const string Durable = "ResumableUploads:FileSystem:Durability=PowerLoss";
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);

    [Fact]
    public async Task Failed_data_sync_is_not_acknowledged_and_upload_resumes_from_synced_bytes()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await BeginAsync(directory);
        await using (ChildHost failing = await ChildHost.StartUnderAsync(FailingSyncs(directory.DataOf("f")!), directory.Root, Durable))
        {
            // The second time the pages are clean and a second sync would succeed, which proves nothing.
            for (int i = 0; i < 2; i++)
            {
                using HttpResponseMessage response = await failing.Client.AppendAsync("f", 100_000, Content[100_000..200_000], Content.Length);
                await AssertFailedAsync(response);
                Assert.Equal("100000", response.Header("X-Start-Byte"));
                Assert.Equal(100_000, await failing.Client.StatusAsync("f"));
            }

            await failing.LogsAsync("Syncing");
            await failing.LogsAsync("Input/output error");
        }

        await AssertContinuesAsync(directory, 100_000, 100_000);
    }

    [Fact]
    public async Task Failed_mark_sync_is_not_acknowledged()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await BeginAsync(directory);
        await using (ChildHost failing = await ChildHost.StartUnderAsync(FailingSyncs(directory.MarkOf("f")!), directory.Root, Durable))
        {
            using HttpResponseMessage response = await failing.Client.AppendAsync("f", 100_000, Content[100_000..200_000], Content.Length);
            await AssertFailedAsync(response);
            Assert.Equal("100000", response.Header("X-Start-Byte"));
            Assert.Equal(100_000, await failing.Client.StatusAsync("f"));
        }

        // The bytes themselves were synced, so they may or may not be kept.
        await AssertContinuesAsync(directory, 100_000, 200_000);
    }

    [Fact]
    public async Task Creation_with_failed_sync_is_rejected()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await BeginAsync(directory);
        await using ChildHost failing = await ChildHost.StartUnderAsync(
            FailingSyncs(Path.Combine(directory.Root, "uploads")), directory.Root, Durable);
        using HttpResponseMessage response = await failing.Client.AppendAsync("g", 0, Content, Content.Length);
        await AssertFailedAsync(response);
    }

    /// <summary>A lock service of a network file system can be out of resources.</summary>
    [Fact]
    public async Task Lock_that_fails_is_not_taken_for_a_lock()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await BeginAsync(directory);
        string lockPath = Path.ChangeExtension(directory.DataOf("f")!, ".lock");
        string[] strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", lockPath, "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK:when=1+"];
        await using (ChildHost failing = await ChildHost.StartUnderAsync(strace, directory.Root, Durable))
        {
            using HttpResponseMessage response = await failing.Client.AppendAsync("f", 100_000, Content[100_000..200_000], Content.Length);
            await AssertFailedAsync(response);
            Assert.Equal(100_000, await failing.Client.StatusAsync("f"));
        }

        await AssertContinuesAsync(directory, 100_000, 100_000);
    }

    [Fact]
    public async Task Startup_on_disk_without_working_sync_fails()
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        InvalidOperationException error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ChildHost.StartUnderAsync(FailingSyncs(null), directory.Root, Durable));
        Assert.Contains("cannot be used", error.Message);
        Assert.Contains("Input/output error", error.Message);
        Assert.Contains("'" + directory.Root + "'", error.Message);
    }

    private static string[] FailingSyncs(string? path) =>
    [
        "strace", "-f", "-qq", "-o", "/dev/null", .. path is null ? (string[])[] : ["-P", path],
        "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=1+",
    ];

    private static async Task BeginAsync(UploadDirectory directory)
    {
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, Durable);
        using HttpResponseMessage first = await child.Client.AppendAsync("f", 0, Content[..100_000], Content.Length, ("X-File-Name", "f"));
        Assert.Equal("100000", await first.Content.ReadAsStringAsync());
    }

    private static async Task AssertFailedAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("urn:resumable-uploads:storage-failed", await response.Content.ReadAsStringAsync());
        Assert.NotNull(response.Headers.RetryAfter);
    }

    private static async Task AssertContinuesAsync(UploadDirectory directory, long least, long most)
    {
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, Durable);
        long offset = await child.Client.StatusAsync("f");
        Assert.InRange(offset, least, most);
        Assert.Equal(Content[..(int)offset], directory.BytesOf("f"));
        using HttpResponseMessage last = await child.Client.AppendAsync("f", offset, Content[(int)offset..], Content.Length);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        directory.AssertFinished("f", Content);
    }
}
