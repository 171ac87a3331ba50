using System.IO.Pipelines;
using System.Net;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

/// <summary>An append whose client has sent a part of its body and then falls silent. The connection stays open.</summary>
internal sealed class HeldUpload : IDisposable
{
    private const int Begun = 7;
    private readonly Pipe _body = new();
    private readonly HttpRequestMessage _request;
    private readonly Task<HttpResponseMessage> _response;

    private HeldUpload(HttpClient client, string protocol, string url)
    {
        Url = url;
        _request = new HttpRequestMessage(protocol == ProtocolClient.FileId ? HttpMethod.Post : HttpMethod.Patch, url) { Content = new LiveContent(_body.Reader) };
        (string, string)[] headers = protocol switch
        {
            ProtocolClient.FileId => [("X-File-Id", "f"), ("X-Start-Byte", $"{Begun}")],
            ProtocolClient.Tus => [("Tus-Resumable", "1.0.0"), ("Upload-Offset", $"{Begun}"), ("Content-Type", "application/offset+octet-stream")],
            _ => [("Upload-Draft-Interop-Version", $"{IetfClient.Newest}"), ("Upload-Offset", $"{Begun}"), ("Upload-Complete", "?1"), ("Content-Type", "application/partial-upload")],
        };
        foreach ((string name, string value) in headers)
        {
            Assert.True(_request.Headers.TryAddWithoutValidation(name, value) || _request.Content.Headers.TryAddWithoutValidation(name, value));
        }

        _response = client.SendAsync(_request, HttpCompletionOption.ResponseHeadersRead);
    }

    public string Url { get; }

    /// <summary>Creates an upload, sends a part of it in a second request, and waits until another server sees the bytes.</summary>
    public static async Task<HeldUpload> StartAsync(TestApp app, AzureBlobUploadStore other, string protocol, byte[] file, int length)
    {
        var held = new HeldUpload(app.Client, protocol, await app.Client.BeginAsync(protocol, "/upload", file[..Begun], file.Length));
        await held.SendAsync(file.AsMemory(Begun, length - Begun));
        await Eventually.TrueAsync(
            async () => await other.ListAsync(new UploadQuery(), CancellationToken.None).AnyAsync(info => info.Offset >= length), "the bytes are durable");
        return held;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _body.Writer.WriteAsync(bytes);

    /// <summary>Ends the body and returns the status code of the response.</summary>
    public async Task<HttpStatusCode> EndAsync()
    {
        await _body.Writer.CompleteAsync();
        using HttpResponseMessage response = await Eventually.WithinAsync(_response);
        return response.StatusCode;
    }

    public void Dispose()
    {
        _body.Writer.Complete(new IOException("The client is gone."));
        _request.Dispose();
    }

    /// <summary>A body whose bytes are sent as soon as they are written.</summary>
    private sealed class LiveContent(PipeReader body) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => CopyAsync(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private async Task CopyAsync(Stream stream)
        {
            ReadResult result;
            do
            {
                result = await body.ReadAsync();
                foreach (ReadOnlyMemory<byte> memory in result.Buffer)
                {
                    await stream.WriteAsync(memory);
                }

                await stream.FlushAsync();
                body.AdvanceTo(result.Buffer.End);
            }
            while (!result.IsCompleted);
        }
    }
}
