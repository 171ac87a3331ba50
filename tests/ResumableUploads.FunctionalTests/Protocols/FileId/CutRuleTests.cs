using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

/// <summary>Rule F-9 on a real server: what is left of a body that is cut off.</summary>
public class CutRuleTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(100_000);

    [Theory]
    [InlineData("reset", false)]
    [InlineData("reset", true)]
    [InlineData("silent", false)]
    [InlineData("silent", true)]
    [InlineData("broken chunk", true)]
    public async Task F9_the_bytes_that_came_are_kept_and_the_next_status_tells_how_many(string cut, bool chunked)
    {
        await using TestApp app = await AppAsync();
        using var arrived = new Arrivals(app.Directory);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            "POST /upload", "X-File-Id: f", "X-File-Size: 100000", chunked ? "Transfer-Encoding: chunked" : "Content-Length: 100000");
        await (chunked ? connection.SendChunkAsync(File.AsMemory(0, 40_000)) : connection.SendAsync(File.AsMemory(0, 40_000)));
        await arrived.BytesAsync(40_000);
        switch (cut)
        {
            case "reset":
                connection.Reset();
                break;
            case "broken chunk":
                await connection.SendAsync("zz\r\n");
                Assert.Equal(400, (await connection.ReadResponseAsync())?.Status);
                break;
        }

        Assert.Equal(40_000, await app.Client.StatusAsync("f"));
        using HttpResponseMessage rest = await app.Client.AppendAsync("f", 40_000, File[40_000..], 100_000);
        Assert.Equal("true", rest.Header("X-Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task F9_a_body_without_a_size_that_is_cut_off_does_not_finish()
    {
        await using TestApp app = await AppAsync();
        using var arrived = new Arrivals(app.Directory);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, 1000));
        await arrived.BytesAsync(1000);
        connection.Reset();
        Assert.Equal(1000, await app.Client.StatusAsync("f"));
        Assert.Empty(app.Finished);
        using HttpResponseMessage rest = await app.Client.AppendAsync("f", 1000, File[1000..]);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task F9_who_is_taken_over_is_told_and_its_bytes_are_kept()
    {
        await using TestApp app = await AppAsync();
        using var arrived = new Arrivals(app.Directory);
        await using RawConnection old = await RawConnection.OpenAsync(app.Address);
        await old.SendHeadAsync("POST /upload", "X-File-Id: f", "X-File-Size: 100000", "Content-Length: 100000");
        await old.SendAsync(File.AsMemory(0, 10));
        await arrived.BytesAsync(10);
        Assert.Equal(10, await app.Client.StatusAsync("f"));
        RawResponse? told = await old.ReadResponseAsync();
        Assert.Equal((409, "10"), (told?.Status, told?.Header("X-Start-Byte")));
        Assert.Contains("urn:resumable-uploads:taken-over", told!.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task F9_with_a_digest_nothing_of_a_cut_body_counts()
    {
        await using TestApp app = await AppAsync();
        using (HttpResponseMessage first = await app.Client.AppendAsync("f", 0, File[..10], 100_000))
        {
            Assert.Equal("10", first.Header("X-Start-Byte"));
        }

        string digest = Convert.ToBase64String(SHA256.HashData(File.AsSpan(10)));
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            "POST /upload", "X-File-Id: f", "X-Start-Byte: 10", "Content-Length: 99990", $"Content-Digest: sha-256=:{digest}:", "Expect: 100-continue");
        Assert.Equal(100, (await connection.ReadResponseAsync())?.Status);
        await connection.SendAsync(File.AsMemory(10, 5000));
        connection.Reset();
        Assert.Equal(10, await app.Client.StatusAsync("f"));
        using HttpResponseMessage rest = await app.Client.AppendAsync("f", 10, File[10..], 100_000, ("Content-Digest", $"sha-256=:{digest}:"));
        Assert.Equal("true", rest.Header("X-Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    private static Task<TestApp> AppAsync() => TestApp.StartAsync();

    /// <summary>Waits for bytes to be in the upload's file: before that there is nothing to cut.</summary>
    private sealed class Arrivals : IDisposable
    {
        private readonly FileSystemWatcher _watcher;
        private readonly SemaphoreSlim _changed = new(0);
        private readonly string _directory;

        public Arrivals(string directory)
        {
            _directory = directory;
            _watcher = new FileSystemWatcher(directory) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.Size | NotifyFilters.FileName | NotifyFilters.LastWrite };
            _watcher.Changed += (_, _) => _changed.Release();
            _watcher.Created += (_, _) => _changed.Release();
            _watcher.EnableRaisingEvents = true;
        }

        public async Task BytesAsync(long count)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (Held() < count)
            {
                // A directory may be made and written to before it is watched: look again now and then.
                await _changed.WaitAsync(TimeSpan.FromMilliseconds(50), patience.Token);
            }
        }

        private long Held()
        {
            try
            {
                return Directory.EnumerateFiles(_directory, "*.data", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
            }
            catch (IOException)
            {
                // A new upload is moved to its place at this moment.
                return 0;
            }
        }

        public void Dispose()
        {
            _watcher.Dispose();
            _changed.Dispose();
        }
    }
}
