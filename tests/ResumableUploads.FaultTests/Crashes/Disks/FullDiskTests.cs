using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FaultTests.Crashes.Disks;

public class FullDiskTests
{
    [Theory]
    [InlineData("ProcessCrash")]
    [InlineData("PowerLoss")]
    public async Task Full_disk_returns_507_with_offset_and_upload_resumes_when_space_is_freed(string durability)
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(16);
        var directory = new UploadDirectory(Path.Combine(disk.Path, "uploads"));
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}");
        byte[] small = RandomNumberGenerator.GetBytes(100_000);
        byte[] large = RandomNumberGenerator.GetBytes(30_000_000);
        (await child.Client.AppendAsync("small", 0, small[..60_000], small.Length, ("X-File-Name", "small"))).Dispose();
        (await child.Client.AppendAsync("other", 0, small[..50_000], small.Length)).Dispose();
        string record = await File.ReadAllTextAsync(directory.RecordOf("small"));

        long offset;
        using (HttpResponseMessage full = await child.Client.AppendAsync("large", 0, large, large.Length, ("X-File-Name", "large")))
        {
            offset = await AssertFullAsync(full);
        }

        Assert.InRange(offset, 10_000_000, 16 << 20);
        await AssertHoldsAsync(child, directory, "large", large, offset);

        // The disk is still full. Existing uploads are unchanged, and requests that need no space succeed.
        Assert.Equal(record, await File.ReadAllTextAsync(directory.RecordOf("small")));
        await AssertHoldsAsync(child, directory, "small", small, 60_000);
        await AssertHoldsAsync(child, directory, "other", small, 50_000);
        using (HttpResponseMessage deleted = await child.Client.DeleteUploadAsync("other"))
        {
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }

        Assert.Equal(0, await child.Client.StatusAsync("other"));
        Assert.False(Directory.Exists(directory.Of("other")));

        // The deletion freed space for some more bytes, and they are stored.
        using (HttpResponseMessage again = await child.Client.AppendAsync("large", offset, large[(int)offset..], large.Length))
        {
            long more = await AssertFullAsync(again);
            Assert.InRange(more, offset + 1, offset + 100_000);
            offset = more;
        }

        await AssertHoldsAsync(child, directory, "large", large, offset);
        await disk.RemountAsync("size=64m");
        using (HttpResponseMessage done = await child.Client.AppendAsync("large", offset, large[(int)offset..], large.Length))
        {
            Assert.Equal((HttpStatusCode.OK, "true"), (done.StatusCode, done.Header("X-Upload-Complete")));
        }

        using (HttpResponseMessage done = await child.Client.AppendAsync("small", 60_000, small[60_000..], small.Length))
        {
            Assert.Equal((HttpStatusCode.OK, "true"), (done.StatusCode, done.Header("X-Upload-Complete")));
        }

        directory.AssertFinished("large", large);
        directory.AssertFinished("small", small);
    }

    [Theory]
    [InlineData("ProcessCrash")]
    [InlineData("PowerLoss")]
    public async Task Creation_on_full_disk_leaves_nothing_behind(string durability)
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(16);
        var directory = new UploadDirectory(Path.Combine(disk.Path, "uploads"));
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}");
        string ballast = disk.Fill();
        byte[] content = RandomNumberGenerator.GetBytes(10_000);
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage full = await child.Client.AppendAsync("new", 0, content, content.Length, ("X-File-Name", "new"));
            Assert.Equal(0, await AssertFullAsync(full));
        }

        Assert.Equal(0, await child.Client.StatusAsync("new"));
        Assert.Empty(Directory.GetFiles(Path.Combine(directory.Root, "uploads"), "*", SearchOption.AllDirectories));
        Assert.Empty(ResumableUploads.Testing.Stores.FileSystemStoreTest.Halves(directory.Root));
        Assert.False(Directory.Exists(directory.Of("new")));

        File.Delete(ballast);
        using HttpResponseMessage done = await child.Client.AppendAsync("new", 0, content, content.Length, ("X-File-Name", "new"));
        Assert.Equal("true", done.Header("X-Upload-Complete"));
        directory.AssertFinished("new", content);
    }

    /// <summary>With <c>ProcessCrash</c>, the record fits into the page that its file already has, and the handler is the first that needs space.</summary>
    [Theory]
    [InlineData("ProcessCrash", HttpStatusCode.ServiceUnavailable)]
    [InlineData("PowerLoss", HttpStatusCode.InsufficientStorage)]
    public async Task Last_byte_is_kept_on_full_disk_and_upload_completes_later(string durability, HttpStatusCode status)
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(16);
        var directory = new UploadDirectory(Path.Combine(disk.Path, "uploads"));
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}");

        // The last byte fits into a page that the file already has.
        byte[] content = RandomNumberGenerator.GetBytes(100_001);
        (await child.Client.AppendAsync("last", 0, content[..^1], content.Length, ("X-File-Name", "last"))).Dispose();
        string ballast = disk.Fill();
        using (HttpResponseMessage full = await child.Client.AppendAsync("last", 100_000, content[^1..], content.Length))
        {
            Assert.Equal((status, content.Length.ToString(CultureInfo.InvariantCulture)), (full.StatusCode, full.Header("X-Start-Byte")));
        }

        await AssertHoldsAsync(child, directory, "last", content, content.Length);
        Assert.Empty(directory.FinishedFiles);

        File.Delete(ballast);
        using HttpResponseMessage done = await child.Client.AppendAsync("last", content.Length, [], content.Length);
        Assert.Equal((HttpStatusCode.OK, "true"), (done.StatusCode, done.Header("X-Upload-Complete")));
        directory.AssertFinished("last", content);
    }

    [Theory]
    [InlineData("ProcessCrash")]
    [InlineData("PowerLoss")]
    public async Task Server_restarts_on_full_disk_and_reports_stored_offset(string durability)
    {
        await using SmallDisk disk = await SmallDisk.MountAsync(16);
        var directory = new UploadDirectory(Path.Combine(disk.Path, "uploads"));
        byte[] content = RandomNumberGenerator.GetBytes(100_000);
        await using (ChildHost first = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}"))
        {
            (await first.Client.AppendAsync("f", 0, content[..60_000], content.Length, ("X-File-Name", "f"))).Dispose();
            first.Kill();
        }

        string ballast = disk.Fill();
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, $"ResumableUploads:FileSystem:Durability={durability}");
        await AssertHoldsAsync(child, directory, "f", content, 60_000);
        using (HttpResponseMessage full = await child.Client.AppendAsync("f", 60_000, content[60_000..], content.Length))
        {
            Assert.InRange(await AssertFullAsync(full), 60_000, 65_536);
        }

        File.Delete(ballast);
        long offset = await child.Client.StatusAsync("f");
        using HttpResponseMessage done = await child.Client.AppendAsync("f", offset, content[(int)offset..], content.Length);
        Assert.Equal((HttpStatusCode.OK, "true"), (done.StatusCode, done.Header("X-Upload-Complete")));
        directory.AssertFinished("f", content);
    }

    /// <summary>Asserts that the response reports a full disk and returns the durable offset.</summary>
    private static async Task<long> AssertFullAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.InsufficientStorage, $"{(int)response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using JsonDocument problem = JsonDocument.Parse(text);
        Assert.Equal("urn:resumable-uploads:storage-full", problem.RootElement.GetProperty("type").GetString());
        Assert.NotNull(response.Headers.RetryAfter);
        long offset = problem.RootElement.TryGetProperty("expected-offset", out JsonElement number) ? number.GetInt64() : 0;
        Assert.Equal(offset.ToString(CultureInfo.InvariantCulture), response.Header("X-Start-Byte") ?? "0");
        return offset;
    }

    private static async Task AssertHoldsAsync(ChildHost child, UploadDirectory directory, string name, byte[] source, long offset)
    {
        Assert.Equal(offset, await child.Client.StatusAsync(name));
        byte[] bytes = directory.BytesOf(name);
        Assert.Equal(offset, bytes.Length);
        Assert.True(bytes.AsSpan().SequenceEqual(source.AsSpan(0, bytes.Length)));
    }
}
