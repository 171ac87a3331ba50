using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>
/// A small file whose single request is received at once is created and completed in one step. Otherwise it is stored like any other upload, and no
/// bytes are lost.
/// </summary>
public class SingleRequestUploadTests
{
    private const int Half = 20_000;
    private const int MaxTries = 10;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private static readonly byte[] File = RandomNumberGenerator.GetBytes((2 * Half) + 3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_003)]
    [InlineData(256 * 1024)]
    public async Task Small_file_without_handler_creates_two_files(int size)
    {
        byte[] file = RandomNumberGenerator.GetBytes(size);
        await using TestApp app = await StartOnStoppedClockAsync(static options => options.OnCompleted = null);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, file, size);
        Assert.True(response.IsSuccessStatusCode);
        Assert.Equal("true", response.Header("X-Upload-Complete"));

        string[] files = FilesOf(app);
        Assert.Equal(2, files.Length);
        Assert.Equal(file, await System.IO.File.ReadAllBytesAsync(Assert.Single(files, static path => path.EndsWith(".data", StringComparison.Ordinal)), Token));
    }

    [Theory]
    [InlineData("Content-Digest")]
    [InlineData("Repr-Digest")]
    [InlineData("Want-Repr-Digest")]
    public async Task Small_file_with_digest_creates_two_files(string header)
    {
        byte[] file = RandomNumberGenerator.GetBytes(70_003);
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(file))}:";
        (string, string) digestHeader = (header, header == "Want-Repr-Digest" ? "sha-256=1" : digest);
        await using TestApp app = await StartOnStoppedClockAsync(static options => options.OnCompleted = null);
        using HttpResponseMessage byFileId = await app.Client.AppendAsync("f", 0, file, file.Length, digestHeader);
        using HttpResponseMessage byIetf = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(file), IetfClient.Completeness(IetfClient.Newest, true), digestHeader);
        Assert.Equal("true", byFileId.Header("X-Upload-Complete"));
        Assert.Equal("?1", byIetf.Header("Upload-Complete"));
        Assert.Equal(4, FilesOf(app).Length);
        string? expected = header == "Want-Repr-Digest" ? digest : null;
        Assert.Equal((expected, expected), (byFileId.Header("Repr-Digest"), byIetf.Header("Repr-Digest")));
    }

    [Theory]
    [InlineData("Content-Digest")]
    [InlineData("Repr-Digest")]
    public async Task Small_file_with_wrong_digest_stores_nothing(string header)
    {
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(File))}:";
        await using TestApp app = await StartOnStoppedClockAsync();
        using HttpResponseMessage wrong = await app.Client.AppendAsync("f", 0, [.. File[..^1], (byte)~File[^1]], File.Length, (header, digest));
        Assert.Equal(400, (int)wrong.StatusCode);
        Assert.Empty(FilesOf(app));
        using HttpResponseMessage right = await app.Client.AppendAsync("f", 0, File, File.Length, (header, digest));
        Assert.Equal(200, (int)right.StatusCode);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnProgress_of_small_file_is_called_once_before_OnCompleted(bool hasHandler)
    {
        var calls = new ConcurrentQueue<string>();
        var release = new TaskCompletionSource();
        await using TestApp app = await StartOnStoppedClockAsync(options =>
        {
            options.OnProgress = async (upload, _) =>
            {
                calls.Enqueue($"progress {upload.Offset} of {upload.Length}");
                await release.Task;
                calls.Enqueue("progress returned");
            };
            options.OnCompleted = !hasHandler ? null : (_, _) =>
            {
                calls.Enqueue("handler");
                return Task.CompletedTask;
            };
        });
        Task<HttpResponseMessage> sending = app.Client.AppendAsync("f", 0, File, File.Length);
        await UntilAsync(() => Task.FromResult(!calls.IsEmpty));

        // The upload is already complete while OnProgress runs, and a status request does not wait for OnProgress.
        Assert.Equal(2, FilesOf(app).Count(static path => !path.EndsWith(".lock", StringComparison.Ordinal)));
        Assert.Equal(File.Length, (int)await app.Client.StatusAsync("f"));
        Assert.Single(calls);
        release.SetResult();
        using HttpResponseMessage response = await sending;
        Assert.Equal("true", response.Header("X-Upload-Complete"));
        Assert.Equal((string[])[$"progress {File.Length} of {File.Length}", "progress returned", .. hasHandler ? ["handler"] : (string[])[]], calls);
    }

    [Fact]
    public async Task Small_file_receives_interim_response_with_location()
    {
        await using TestApp app = await StartOnStoppedClockAsync(static options =>
        {
            options.OnCompleted = null;
            options.Ietf.InterimResponses = InterimResponses.Always;
        });
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendAsync("POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nUpload-Draft-Interop-Version: 10\r\nUpload-Complete: ?1\r\nContent-Length: 5\r\n\r\n12345");
        var responses = new List<RawResponse>();
        do
        {
            responses.Add((await connection.ReadResponseAsync())!);
        }
        while (responses[^1].Status == 104);

        Assert.Equal((201, "?1"), (responses[^1].Status, responses[^1].Header("Upload-Complete")));
        Assert.Equal((104, responses[^1].Header("Location")), (responses[0].Status, responses[0].Header("Location")));
        Assert.Equal(2, FilesOf(app).Length);
    }

    [Fact]
    public async Task File_above_size_limit_creates_three_files()
    {
        byte[] file = RandomNumberGenerator.GetBytes((256 * 1024) + 1);
        await using TestApp app = await TestApp.StartAsync(static options => options.OnCompleted = null);
        Assert.Equal(200, await app.Client.AppendAsync("f", 0, file, file.Length).StatusOfAsync());
        Assert.Equal(3, FilesOf(app).Length);
    }

    [Fact]
    public async Task Handler_of_small_file_runs_once_and_repeat_returns_stored_response()
    {
        await using TestApp app = await TestApp.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync("f", i == 0 ? 0 : File.Length, i == 0 ? File : [], File.Length);
            Assert.True(response.IsSuccessStatusCode);
            Assert.Equal("true", response.Header("X-Upload-Complete"));
        }

        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Slowly_received_file_is_stored_while_it_is_received()
    {
        await using TestApp app = await TestApp.StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, Half));
        await StoredAsync(app, Half);
        await sender.SendAsync(File.AsMemory(Half));
        Assert.Equal(200, (await sender.ReadResponseAsync())?.Status);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Theory]
    [InlineData(Cut.Fin)]
    [InlineData(Cut.Reset)]
    [InlineData(Cut.Silent)]
    public async Task Interrupted_small_file_resumes_from_offset_of_server(Cut cut)
    {
        await using TestApp app = await TestApp.StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, Half));
        sender.Cut(cut);
        int status = 409;
        for (int tries = 0; status is 409 or 503 && tries < MaxTries; tries++)
        {
            // The server may read the last bytes of the interrupted request after the status request. The append then returns 409, or 503 before it has read any.
            int offset = (int)await app.Client.StatusAsync("f");
            Assert.InRange(offset, 0, Half);
            status = await app.Client.AppendAsync("f", offset, File[offset..], File.Length).StatusOfAsync();
            await Task.Delay(RetryDelay, TimeProvider.System);
        }

        Assert.Equal(200, status);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Concurrent_uploads_of_same_small_file_are_not_mixed()
    {
        await using TestApp app = await TestApp.StartAsync();
        for (int round = 0; round < 20; round++)
        {
            string name = $"f{round}";
            int[] statuses = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => app.Client.AppendAsync(name, 0, File, File.Length).StatusOfAsync()));

            // 503 is for an append that finds another one at its own offset and must not stop it.
            Assert.All(statuses, static status => Assert.Contains(status, (int[])[200, 409, 503]));
            if (!statuses.Contains(200))
            {
                // Each append was preempted after a part of its bytes was stored. Another append can complete the upload.
                int offset = (int)await app.Client.StatusAsync(name);
                Assert.InRange(offset, 1, File.Length);
                Assert.Equal(200, await app.Client.AppendAsync(name, offset, File[offset..], File.Length).StatusOfAsync());
            }
        }

        // An append that starts at offset 0 after completion uploads the file again.
        Assert.All(app.Finished, static finished => Assert.Equal(File, finished.Content));
        Assert.InRange(app.Finished.Count, 20, 80);
    }

    /// <summary>Starts an app that waits for the body of a small file without a timeout, so that the test does not depend on how fast the body arrives.</summary>
    private static Task<TestApp> StartOnStoppedClockAsync(Action<ResumableUploadOptions>? configure = null) =>
        TestApp.StartAsync(configure, static builder => builder.Services.AddSingleton(Latency.StoppedClock()));

    private static string[] FilesOf(TestApp app) => Directory.GetFiles(Path.Combine(app.Directory, "uploads"), "*", SearchOption.AllDirectories);

    private static Task StoredAsync(TestApp app, long offset)
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = app.Directory, Durability = Durability.ProcessCrash });
        return UntilAsync(async () => await store.ListAsync(new UploadQuery(), Token).AnyAsync(info => info.Offset == offset, Token));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Timeout, "The condition was not met in time.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }
    }
}
