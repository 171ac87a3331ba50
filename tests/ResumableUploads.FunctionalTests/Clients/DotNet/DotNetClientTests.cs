using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Client;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.DotNet;

/// <summary>Uploads without faults.</summary>
public class DotNetClientTests
{
    private const int Size = 1_000_003;

    public static TheoryData<UploadProtocol> Protocols => ClientApp.Protocols;

    public static TheoryData<UploadProtocol, int, UploadDigest> Sizes
    {
        get
        {
            var all = new TheoryData<UploadProtocol, int, UploadDigest>();
            foreach (UploadProtocol protocol in ClientApp.Protocols.Select(static row => row.Data))
            {
                foreach (int size in new[] { 0, 1, 65_536, 65_537, Size })
                {
                    all.Add(protocol, size, UploadDigest.None);
                    all.Add(protocol, size, UploadDigest.Sha256);
                }

                all.Add(protocol, Size, UploadDigest.Sha512);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Upload_of_file_arrives_with_name_and_type(UploadProtocol protocol, int size, UploadDigest digest)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(size);
        string path = app.CreateFile(content, "Résumé, 2.pdf");
        var reports = new List<TransferProgress>();
        var options = ClientApp.Options(protocol, options => (options.ContentType, options.Digest) = ("application/pdf", digest));

        UploadResponseMessage response = await app.CreateClient().UploadAsync(app.Endpoint, path, options, new InlineProgress(reports.Add), TestContext.Current.CancellationToken);

        app.AssertReceived(content);
        FinishedUpload finished = app.App.Finished[0];
        Assert.Equal("Résumé, 2.pdf", finished.Upload.RawFileName);
        Assert.Equal("application/pdf", finished.Upload.ContentType);
        Assert.True((int)response.StatusCode is >= 200 and < 300);
        Assert.False(response.WasAlreadyComplete);
        Assert.Equal(new TransferProgress(size, size), reports[^1]);
        Assert.Equal(size, app.ReceivedBytes);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_in_chunks_sends_requests_of_that_size(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        await app.CreateClient().UploadAsync(app.Endpoint, app.CreateFile(content), ClientApp.Options(protocol, static options => options.ChunkSize = 300_000), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Equal([300_000, 300_000, 300_000, 100_003], app.Requests.Select(static request => request.Length));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_obeys_the_append_limit_of_the_server(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(static options => options.Limits.MaxAppendSize = 400_000);
        byte[] content = ClientApp.RandomBytes(Size);
        await app.CreateClient().UploadAsync(app.Endpoint, app.CreateFile(content), ClientApp.Options(protocol), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.Equal([400_000, 400_000, 200_003], app.Requests.Select(static request => request.Length));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_over_HTTP_2_arrives(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync(http: HttpProtocols.Http2);
        using var httpClient = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        byte[] content = ClientApp.RandomBytes(Size);
        await new ResumableUploadClient(httpClient).UploadAsync(
            app.Endpoint, app.CreateFile(content), ClientApp.Options(protocol, static options => options.Digest = UploadDigest.Sha256), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_of_seekable_stream_starts_at_its_position(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        using var stream = new MemoryStream(content) { Position = 1000 };
        await app.CreateClient().UploadAsync(new Uri("upload", UriKind.Relative), stream, ClientApp.Options(protocol, static options => options.Digest = UploadDigest.Sha256), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content[1000..]);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_of_FileStream_starts_at_its_position(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        await using var stream = new FileStream(app.CreateFile(content), FileMode.Open);
        stream.Position = 1000;
        await app.CreateClient().UploadAsync(app.Endpoint, stream, ClientApp.Options(protocol, static options => options.Digest = UploadDigest.Sha256), null, TestContext.Current.CancellationToken);
        app.AssertReceived(content[1000..]);
        Assert.Equal("file.bin", app.App.Finished[0].Upload.FileName);
        Assert.True(stream.CanRead);
    }

    [Theory]
    [InlineData(UploadProtocol.FileId, 250_000)]
    [InlineData(UploadProtocol.FileId, 200_000)]
    [InlineData(UploadProtocol.FileId, 0)]
    [InlineData(UploadProtocol.Tus, 250_000)]
    [InlineData(UploadProtocol.Tus, 200_000)]
    [InlineData(UploadProtocol.Tus, 0)]
    [InlineData(UploadProtocol.Ietf, 250_000)]
    [InlineData(UploadProtocol.Ietf, 200_000)]
    [InlineData(UploadProtocol.Ietf, 0)]
    public async Task Upload_of_stream_with_unknown_length_arrives(UploadProtocol protocol, int size)
    {
        foreach (UploadDigest digest in new[] { UploadDigest.None, UploadDigest.Sha256 })
        {
            await using ClientApp app = await ClientApp.StartAsync();
            byte[] content = ClientApp.RandomBytes(size);
            var options = ClientApp.Options(protocol, options => (options.ChunkSize, options.Digest, options.FileName) = (100_000, digest, "pipe.bin"));
            UploadResponseMessage response = await app.CreateClient().UploadAsync(app.Endpoint, new PipeStream(content, maxRead: 777), options, null, TestContext.Current.CancellationToken);
            app.AssertReceived(content);
            Assert.False(response.WasAlreadyComplete);
            Assert.Equal(size, app.ReceivedBytes);
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_of_stream_with_declared_length_arrives(UploadProtocol protocol)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        byte[] content = ClientApp.RandomBytes(Size);
        var reports = new List<TransferProgress>();
        await app.CreateClient().UploadAsync(
            app.Endpoint, new PipeStream(content), ClientApp.Options(protocol, static options => options.Length = Size), new InlineProgress(reports.Add), TestContext.Current.CancellationToken);
        app.AssertReceived(content);
        Assert.All(reports, static report => Assert.Equal(Size, report.Length));
    }

    [Theory]
    [InlineData(UploadProtocol.FileId, Size + 1)]
    [InlineData(UploadProtocol.FileId, Size - 1)]
    [InlineData(UploadProtocol.Tus, Size + 1)]
    [InlineData(UploadProtocol.Tus, Size - 1)]
    [InlineData(UploadProtocol.Ietf, Size + 1)]
    [InlineData(UploadProtocol.Ietf, Size - 1)]
    public async Task Stream_with_another_length_than_declared_fails(UploadProtocol protocol, int length)
    {
        await using ClientApp app = await ClientApp.StartAsync();
        var exception = await Assert.ThrowsAsync<UploadException>(() => app.CreateClient().UploadAsync(
            app.Endpoint, new PipeStream(ClientApp.RandomBytes(Size)), ClientApp.Options(protocol, options => (options.Length, options.ChunkSize) = (length, 300_000)), null, TestContext.Current.CancellationToken));
        Assert.Equal(UploadFailureReason.SourceChanged, exception.Reason);
        Assert.Empty(app.App.Finished);
    }
}
