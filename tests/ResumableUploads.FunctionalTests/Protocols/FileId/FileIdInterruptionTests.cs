using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.FileId;

/// <summary>Interrupted request bodies on a real server (docs/protocols/file-id.md#interrupted-requests).</summary>
public class FileIdInterruptionTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(100_000);

    [Theory]
    [InlineData("reset", false)]
    [InlineData("reset", true)]
    [InlineData("silent", false)]
    [InlineData("silent", true)]
    [InlineData("broken chunk", true)]
    public async Task Interrupted_body_is_kept_and_status_returns_its_offset(string interruption, bool chunked)
    {
        await using TestApp app = await AppAsync();
        using var watcher = new DataFileWatcher(app.Directory);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync(
            "POST /upload", "X-File-Id: f", "X-File-Size: 100000", chunked ? "Transfer-Encoding: chunked" : "Content-Length: 100000");
        await (chunked ? connection.SendChunkAsync(File.AsMemory(0, 40_000)) : connection.SendAsync(File.AsMemory(0, 40_000)));
        await watcher.WaitForBytesAsync(40_000);
        switch (interruption)
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
    public async Task Interrupted_body_without_size_does_not_complete()
    {
        await using TestApp app = await AppAsync();
        using var watcher = new DataFileWatcher(app.Directory);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "Transfer-Encoding: chunked");
        await connection.SendChunkAsync(File.AsMemory(0, 1000));
        await watcher.WaitForBytesAsync(1000);
        connection.Reset();
        Assert.Equal(1000, await app.Client.StatusAsync("f"));
        Assert.Empty(app.Finished);
        using HttpResponseMessage rest = await app.Client.AppendAsync("f", 1000, File[1000..]);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Preempted_append_returns_409_and_its_bytes_are_kept()
    {
        await using TestApp app = await AppAsync();
        using var watcher = new DataFileWatcher(app.Directory);
        await using RawConnection old = await RawConnection.OpenAsync(app.Address);
        await old.SendHeadAsync("POST /upload", "X-File-Id: f", "X-File-Size: 100000", "Content-Length: 100000");
        await old.SendAsync(File.AsMemory(0, 10));
        await watcher.WaitForBytesAsync(10);
        Assert.Equal(10, await app.Client.StatusAsync("f"));
        RawResponse? response = await old.ReadResponseAsync();
        Assert.Equal((409, "10"), (response?.Status, response?.Header("X-Start-Byte")));
        Assert.Contains("urn:resumable-uploads:taken-over", response!.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_body_with_digest_is_discarded()
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

    /// <summary>Waits until bytes have been written to the file of the upload.</summary>
    private sealed class DataFileWatcher : IDisposable
    {
        private readonly FileSystemWatcher _watcher;
        private readonly SemaphoreSlim _changed = new(0);
        private readonly string _directory;

        public DataFileWatcher(string directory)
        {
            _directory = directory;
            _watcher = new FileSystemWatcher(directory) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.Size | NotifyFilters.FileName | NotifyFilters.LastWrite };
            _watcher.Changed += (_, _) => _changed.Release();
            _watcher.Created += (_, _) => _changed.Release();
            _watcher.EnableRaisingEvents = true;
        }

        public async Task WaitForBytesAsync(long count)
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (GetLength() < count)
            {
                // A directory may be created and written to before it is watched, so the size is also polled.
                await _changed.WaitAsync(TimeSpan.FromMilliseconds(50), timeout.Token);
            }
        }

        private long GetLength()
        {
            try
            {
                return Directory.EnumerateFiles(_directory, "*.data", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length);
            }
            catch (IOException)
            {
                // A new upload is being moved to its final directory.
                return 0;
            }
        }

        /// <summary>Stops watching. The semaphore is not disposed, because an event may still be raised.</summary>
        public void Dispose() => _watcher.Dispose();
    }
}
