using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Disks;

/// <summary>
/// The disk refuses writes or renames with real kernel errors, injected by strace. The client receives the reason and the offset to resume from,
/// earlier offsets stay true, and the upload resumes when the disk works again.
/// </summary>
public class DiskFaultTests
{
    private const string Writes = "pwrite64,pwritev";
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);

    [Theory]
    [InlineData(Writes, "ENOSPC", 507)]
    [InlineData(Writes, "EDQUOT", 507)]
    [InlineData(Writes, "EIO", 503)]
    [InlineData(Writes, "EROFS", 503)]
    [InlineData("ftruncate,fdatasync", "EIO", 503)]
    public async Task Failed_write_is_not_acknowledged(string calls, string error, int status)
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await BeginAsync(directory);
        await using (ChildHost failing = await StartAsync(directory, calls, error, directory.DataOf("f")!))
        {
            for (int attempt = 0; attempt < 2; attempt++)
            {
                using HttpResponseMessage response = await failing.Client.AppendAsync("f", 100_000, Content[100_000..200_000], Content.Length);
                await AssertReportedAsync(response, status);

                // If truncating the bytes fails too, the second append does not get as far as the offset. A status request does.
                Assert.Equal("100000", response.Header("X-Start-Byte") ?? (attempt > 0 ? "100000" : null));
                Assert.Equal(100_000, await failing.Client.StatusAsync("f"));
            }
        }

        await AssertContinuesAsync(directory, 100_000, 100_000);
    }

    [Theory]
    [InlineData("renameat2", "ENOSPC", 507)]
    [InlineData("renameat2", "EIO", 503)]
    public async Task Failed_record_update_keeps_bytes_and_upload_completes_later(string calls, string error, int status)
    {
        await Needs.StraceAsync();
        using var directory = new UploadDirectory();
        await BeginAsync(directory);
        await using (ChildHost failing = await StartAsync(directory, calls, error, directory.Of("f")))
        {
            using HttpResponseMessage response = await failing.Client.AppendAsync("f", 100_000, Content[100_000..], Content.Length);
            await AssertReportedAsync(response, status);
            Assert.Equal(Content.Length, await failing.Client.StatusAsync("f"));
        }

        await AssertContinuesAsync(directory, Content.Length, Content.Length);
    }

    private static Task<ChildHost> StartAsync(UploadDirectory directory, string calls, string error, string path) => ChildHost.StartUnderAsync(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=" + calls, "-e", $"inject={calls}:error={error}:when=1+"], directory.Root);

    private static async Task BeginAsync(UploadDirectory directory)
    {
        await using ChildHost child = await ChildHost.StartAsync(directory.Root);
        using HttpResponseMessage first = await child.Client.AppendAsync("f", 0, Content[..100_000], Content.Length, ("X-File-Name", "f"));
        Assert.Equal("100000", await first.Content.ReadAsStringAsync());
    }

    private static async Task AssertReportedAsync(HttpResponseMessage response, int status)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, string.Create(CultureInfo.InvariantCulture, $"{(int)response.StatusCode}: {text}"));
        Assert.Contains(status == 507 ? "urn:resumable-uploads:storage-full" : "urn:resumable-uploads:storage-failed", text);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    private static async Task AssertContinuesAsync(UploadDirectory directory, long least, long most)
    {
        await using ChildHost child = await ChildHost.StartAsync(directory.Root);
        long offset = await child.Client.StatusAsync("f");
        Assert.InRange(offset, least, most);
        using HttpResponseMessage last = await child.Client.AppendAsync("f", offset, Content[(int)offset..], Content.Length);
        Assert.Equal("true", last.Header("X-Upload-Complete"));
        directory.AssertFinished("f", Content);
    }
}
