using System.Security.Cryptography;
using ResumableUploads.Client;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>The client with a tus server of another project.</summary>
public sealed class DotNetClientTusServerTests : IAsyncDisposable
{
    private const int Size = 3_000_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("client-test-").FullName;

    [Theory]
    [InlineData(false, UploadDigest.None)]
    [InlineData(true, UploadDigest.None)]
    [InlineData(false, UploadDigest.Sha256)]
    public async Task Upload_over_broken_connections_arrives(bool isStream, UploadDigest digest)
    {
        await using TusNodeServer server = await TusNodeServer.StartAsync();
        int connection = 0;
        await using var line = new PlannedLine(server.Address, 800_000, () => ++connection < 3 ? LineFault.Cut : connection == 3 ? LineFault.LoseResponse : LineFault.None);
        using var httpClient = new HttpClient { BaseAddress = line.Address };
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        await using Stream stream = isStream ? new PipeStream(content) : new MemoryStream(content);

        await new ResumableUploadClient(httpClient).UploadAsync(
            new Uri("upload", UriKind.Relative), stream, ClientApp.Options(UploadProtocol.Tus, options => (options.Digest, options.ChunkDigest) = (digest, digest)), null, TestContext.Current.CancellationToken);

        Assert.Equal(3, line.Faults);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(server.ReadContent()));
    }

    [Fact]
    public async Task Upload_continues_in_another_process()
    {
        await using TusNodeServer server = await TusNodeServer.StartAsync();
        byte[] content = RandomNumberGenerator.GetBytes(Size);
        string path = Path.Combine(_directory, "file.bin");
        await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
        UploadOptions options = ClientApp.Options(UploadProtocol.Tus, static options => options.ChunkSize = 1_000_000);
        var endpoint = new Uri(server.Address, "upload");
        using var httpClient = new HttpClient();
        using (var stop = new CancellationTokenSource())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CreateClient(httpClient).UploadAsync(endpoint, path, options, new InlineProgress(report =>
            {
                if (report.Offset > 1_000_000)
                {
                    stop.Cancel();
                }
            }), stop.Token));
        }

        UploadReference? upload = await CreateClient(httpClient).FindUploadAsync(endpoint, path, options, TestContext.Current.CancellationToken);
        UploadStatus? status = await CreateClient(httpClient).GetStatusAsync(upload!, options, TestContext.Current.CancellationToken);
        var offsets = new List<long>();
        await CreateClient(httpClient).UploadAsync(endpoint, path, options, new InlineProgress(report => offsets.Add(report.Offset)), TestContext.Current.CancellationToken);

        Assert.InRange(status!.Offset, 1_000_000, Size - 1);
        Assert.InRange(offsets[0], status.Offset, Size - 1);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(server.ReadContent()));
    }

    [Fact]
    public async Task Deleted_upload_has_no_status()
    {
        await using TusNodeServer server = await TusNodeServer.StartAsync();
        using var httpClient = new HttpClient();
        ResumableUploadClient client = CreateClient(httpClient);
        using var stream = new MemoryStream(RandomNumberGenerator.GetBytes(1000));
        UploadResponseMessage response = await client.UploadAsync(new Uri(server.Address, "upload"), stream, ClientApp.Options(UploadProtocol.Tus), null, TestContext.Current.CancellationToken);
        Assert.True((await client.GetStatusAsync(response.Upload, null, TestContext.Current.CancellationToken))!.IsComplete);

        await client.CancelAsync(response.Upload, null, TestContext.Current.CancellationToken);

        Assert.Null(await client.GetStatusAsync(response.Upload, null, TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync() => await TemporaryDirectory.DeleteAsync(_directory);

    /// <summary>Creates a client as a new process would.</summary>
    private ResumableUploadClient CreateClient(HttpClient httpClient) =>
        new(httpClient, new ResumableUploadClientOptions { StateStore = new FileUploadStateStore(Path.Combine(_directory, "state")) });
}
