using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.FileSystem;

/// <summary>An upload directory that version 0.1 wrote opens with the current server, and its uploads resume. See Fixtures/README.md.</summary>
public sealed class PreviousVersionDirectoryTests : IAsyncLifetime
{
    private const string Fixture = "tests/ResumableUploads.FunctionalTests/Stores/FileSystem/Fixtures/uploads-0.1.tar.gz";

    private readonly string _root = Directory.CreateTempSubdirectory("resumable-uploads-previous-").FullName;
    private readonly Dictionary<string, string> _contents = [];
    private Dictionary<string, string> _urls = [];
    private TestApp? _app;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private HttpClient Client => _app!.Client;

    public async ValueTask InitializeAsync()
    {
        await using (FileStream file = File.OpenRead(Path.Combine(RepositoryFiles.Root, Fixture)))
        await using (var unzipped = new GZipStream(file, CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(unzipped, _root, overwriteFiles: false, Token);
        }

        _urls = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(Path.Combine(_root, "urls.json"), Token))!;
        _app = await TestApp.StartAsync(
            options =>
            {
                options.AnonymousOwner = AnonymousOwner.Shared;

                // Version 0.1 did not distinguish hosts.
                options.Scope = static _ => "/upload";
                options.FileSystem.Durability = Durability.PowerLoss;
                options.OnCompleted = CompleteAsync;
            },
            directory: Path.Combine(_root, "uploads"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await TemporaryDirectory.DeleteAsync(_root);
    }

    [Fact]
    public async Task File_id_upload_in_progress_resumes_and_completes()
    {
        Assert.Equal(100, await Client.StatusAsync("receiving.txt"));
        await AssertStoredAsync(await Client.AppendAsync("receiving.txt", 100, Bytes(200), 300), "receiving.txt");
        AssertContent("receiving.txt");
    }

    [Fact]
    public async Task Completed_upload_replays_the_stored_response()
    {
        Assert.Equal(300, await Client.StatusAsync("completed.txt"));
        await AssertStoredAsync(await Client.AppendAsync("completed.txt", 300, [], 300), "completed.txt");
        lock (_contents)
        {
            Assert.DoesNotContain("completed.txt", _contents.Keys);
        }
    }

    [Fact]
    public async Task Received_upload_with_failed_handler_runs_it_again()
    {
        Assert.Equal(300, await Client.StatusAsync("failed.txt"));

        // The sweep that runs at startup may retry the handler first; the append then waits for it or replays its response.
        await AssertStoredAsync(await Client.AppendAsync("failed.txt", 300, [], 300), "failed.txt");
        AssertContent("failed.txt");
    }

    [Fact]
    public async Task Tus_upload_in_progress_resumes_with_its_metadata()
    {
        using (HttpResponseMessage head = await Client.TusAsync("HEAD", _urls["tus"]))
        {
            Assert.Equal(
                (HttpStatusCode.OK, "50", "300", "filename dHVzLnR4dA==,filetype dGV4dC9wbGFpbg==,empty"),
                (head.StatusCode, head.Header("Upload-Offset"), head.Header("Upload-Length"), head.Header("Upload-Metadata")));
        }

        using HttpResponseMessage last = await Client.AppendChunkAsync(_urls["tus"], 50, Bytes(250));
        Assert.True(last.IsSuccessStatusCode);
        Assert.Equal("300", last.Header("Upload-Offset"));
        AssertContent("tus.txt");
    }

    [Fact]
    public async Task Tus_concatenation_completes_with_its_last_part()
    {
        Assert.Equal((100, 150), (await Client.OffsetAsync(_urls["part1"]), await Client.OffsetAsync(_urls["part2"])));
        using (HttpResponseMessage pending = await Client.TusAsync("HEAD", _urls["final"]))
        {
            Assert.Equal(
                (HttpStatusCode.OK, $"final;{_urls["part1"]} {_urls["part2"]}", null),
                (pending.StatusCode, pending.Header("Upload-Concat"), pending.Header("Upload-Offset")));
        }

        using HttpResponseMessage last = await Client.AppendChunkAsync(_urls["part2"], 150, Bytes(50));
        Assert.True(last.IsSuccessStatusCode);

        // The server concatenates after the response to the part.
        await Eventually.TrueAsync(async () => await GetFinalOffsetAsync() == "300", "the concatenation completes");
        AssertContent("joined.txt");
    }

    [Fact]
    public async Task Draft_upload_in_progress_resumes_and_completes()
    {
        Assert.Equal((70, false), await Client.StateAsync(_urls["ietf"]));
        await AssertStoredAsync(await Client.AppendAsync(_urls["ietf"], 70, isLast: true, Bytes(230)), "draft.txt");
        AssertContent("draft.txt");
    }

    private async Task<string?> GetFinalOffsetAsync()
    {
        using HttpResponseMessage head = await Client.TusAsync("HEAD", _urls["final"]);
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        return head.Header("Upload-Offset");
    }

    private async Task CompleteAsync(CompletedUpload upload, CancellationToken cancellationToken)
    {
        await using Stream stream = await upload.OpenReadAsync(cancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        string content = await reader.ReadToEndAsync(cancellationToken);
        lock (_contents)
        {
            // Throws if a handler runs twice.
            _contents.Add(upload.FileName, content);
        }

        upload.Response = UploadResponse.Text($"Stored {upload.FileName}.", 201);
    }

    private void AssertContent(string fileName)
    {
        lock (_contents)
        {
            Assert.Equal(new string('a', 300), _contents[fileName]);
        }
    }

    private static async Task AssertStoredAsync(HttpResponseMessage response, string fileName)
    {
        using (response)
        {
            Assert.Equal((HttpStatusCode.Created, $"Stored {fileName}."), (response.StatusCode, await response.Content.ReadAsStringAsync(Token)));
        }
    }

    private static byte[] Bytes(int count) => [.. Enumerable.Repeat((byte)'a', count)];
}
