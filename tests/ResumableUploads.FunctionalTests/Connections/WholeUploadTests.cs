using System.Collections.Concurrent;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>
/// A short file that comes in one request is made in one step, where all of it comes at once. Where it does not, it is an upload like any other, and
/// nothing of it is lost.
/// </summary>
public class WholeUploadTests
{
    private const int Half = 20_000;
    private const int MaxTries = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly byte[] File = RandomNumberGenerator.GetBytes((2 * Half) + 3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_003)]
    [InlineData(256 * 1024)]
    public async Task A_short_file_with_no_handler_is_two_files_on_the_disk(int size)
    {
        byte[] file = RandomNumberGenerator.GetBytes(size);
        await using TestApp app = await TestApp.StartAsync(static options => options.OnCompleted = null);
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
    public async Task R131_a_short_file_with_a_digest_is_two_files_on_the_disk(string header)
    {
        byte[] file = RandomNumberGenerator.GetBytes(70_003);
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(file))}:";
        (string, string) said = (header, header == "Want-Repr-Digest" ? "sha-256=1" : digest);
        await using TestApp app = await TestApp.StartAsync(static options => options.OnCompleted = null);
        using HttpResponseMessage byFileId = await app.Client.AppendAsync("f", 0, file, file.Length, said);
        using HttpResponseMessage byIetf = await app.Client.IetfAsync(
            "POST", "/upload", IetfClient.Newest, new ByteArrayContent(file), IetfClient.Completeness(IetfClient.Newest, true), said);
        Assert.Equal("true", byFileId.Header("X-Upload-Complete"));
        Assert.Equal("?1", byIetf.Header("Upload-Complete"));
        Assert.Equal(4, FilesOf(app).Length);
        string? told = header == "Want-Repr-Digest" ? digest : null;
        Assert.Equal((told, told), (byFileId.Header("Repr-Digest"), byIetf.Header("Repr-Digest")));
    }

    [Theory]
    [InlineData("Content-Digest")]
    [InlineData("Repr-Digest")]
    public async Task R131_of_a_short_file_that_is_not_what_its_digest_says_nothing_is_there(string header)
    {
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(File))}:";
        await using TestApp app = await TestApp.StartAsync();
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
    public async Task Its_progress_is_told_once_and_before_its_handler_runs(bool hasHandler)
    {
        var told = new ConcurrentQueue<string>();
        var mayEnd = new TaskCompletionSource();
        await using TestApp app = await TestApp.StartAsync(options =>
        {
            options.OnProgress = async (upload, _) =>
            {
                told.Enqueue($"progress {upload.Offset} of {upload.Length}");
                await mayEnd.Task;
                told.Enqueue("told");
            };
            options.OnCompleted = !hasHandler ? null : (_, _) =>
            {
                told.Enqueue("handler");
                return Task.CompletedTask;
            };
        });
        Task<HttpResponseMessage> sending = app.Client.AppendAsync("f", 0, File, File.Length);
        await UntilAsync(() => Task.FromResult(!told.IsEmpty));

        // It is stored and whole while the application is being told, and a status does not wait for that.
        Assert.Equal(2, FilesOf(app).Count(static path => !path.EndsWith(".lock", StringComparison.Ordinal)));
        Assert.Equal(File.Length, (int)await app.Client.StatusAsync("f"));
        Assert.Single(told);
        mayEnd.SetResult();
        using HttpResponseMessage answer = await sending;
        Assert.Equal("true", answer.Header("X-Upload-Complete"));
        Assert.Equal((string[])[$"progress {File.Length} of {File.Length}", "told", .. hasHandler ? ["handler"] : (string[])[]], told);
    }

    [Fact]
    public async Task R41_it_is_announced_by_an_interim_response_all_the_same()
    {
        await using TestApp app = await TestApp.StartAsync(static options => options.OnCompleted = null);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendAsync("POST /upload HTTP/1.1\r\nHost: localhost\r\nUpload-Draft-Interop-Version: 10\r\nUpload-Complete: ?1\r\nContent-Length: 5\r\n\r\n12345");
        var answers = new List<RawResponse>();
        do
        {
            answers.Add((await connection.ReadResponseAsync())!);
        }
        while (answers[^1].Status == 104);

        Assert.Equal((201, "?1"), (answers[^1].Status, answers[^1].Header("Upload-Complete")));
        Assert.Equal((104, answers[^1].Header("Location")), (answers[0].Status, answers[0].Header("Location")));
        Assert.Equal(2, FilesOf(app).Length);
    }

    [Fact]
    public async Task One_byte_more_is_an_upload_like_any_other()
    {
        byte[] file = RandomNumberGenerator.GetBytes((256 * 1024) + 1);
        await using TestApp app = await TestApp.StartAsync(static options => options.OnCompleted = null);
        Assert.Equal(200, await app.Client.AppendAsync("f", 0, file, file.Length).StatusOfAsync());
        Assert.Equal(3, FilesOf(app).Length);
    }

    [Fact]
    public async Task Its_handler_sees_all_of_it_once_and_the_outcome_is_kept()
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
    public async Task What_comes_slowly_is_stored_as_it_comes()
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
    public async Task A_short_file_that_is_cut_goes_on_from_where_the_server_says(Cut cut)
    {
        await using TestApp app = await TestApp.StartAsync();
        await using LiveUpload sender = await LiveUpload.BeginAsync(Wire.ContentLength, app.Address, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, Half));
        sender.Cut(cut);
        int answer = 409;
        for (int tries = 0; answer == 409 && tries < MaxTries; tries++)
        {
            // What was sent before may be read after the question. Then there is more than was told, and the answer to the rest says so.
            int offset = (int)await app.Client.StatusAsync("f");
            Assert.InRange(offset, 0, Half);
            answer = await app.Client.AppendAsync("f", offset, File[offset..], File.Length).StatusOfAsync();
        }

        Assert.Equal(200, answer);
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }

    [Fact]
    public async Task Of_several_that_send_the_same_short_file_nothing_is_mixed()
    {
        await using TestApp app = await TestApp.StartAsync();
        for (int round = 0; round < 20; round++)
        {
            string name = $"f{round}";
            int[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => app.Client.AppendAsync(name, 0, File, File.Length).StatusOfAsync()));
            Assert.All(answers, static answer => Assert.Contains(answer, (int[])[200, 409]));
            if (!answers.Contains(200))
            {
                // One was taken over when a part of its bytes was there. Whoever asks for the rest goes on.
                int offset = (int)await app.Client.StatusAsync(name);
                Assert.InRange(offset, 1, File.Length);
                Assert.Equal(200, await app.Client.AppendAsync(name, offset, File[offset..], File.Length).StatusOfAsync());
            }
        }

        // Who comes when it is finished sends it anew (F-4).
        Assert.All(app.Finished, static finished => Assert.Equal(File, finished.Content));
        Assert.InRange(app.Finished.Count, 20, 80);
    }

    private static string[] FilesOf(TestApp app) => Directory.GetFiles(Path.Combine(app.Directory, "uploads"), "*", SearchOption.AllDirectories);

    private static Task StoredAsync(TestApp app, long offset)
    {
        var store = new FileSystemUploadStore(new FileSystemUploadStoreOptions { Directory = app.Directory, Durability = Durability.ProcessCrash });
        return UntilAsync(async () => await store.ListAsync(new UploadQuery(), Token).AnyAsync(info => info.Offset == offset, Token));
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, "It does not come.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }
    }
}
