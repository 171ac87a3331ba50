using System.IO.Pipelines;
using System.Net;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.Testing.Clients;

/// <summary>An append whose client has sent a part of its body and then falls silent. The connection stays open.</summary>
internal sealed class HeldAppend : IDisposable
{
    private const int Begun = 7;
    private readonly Pipe _body = new();
    private readonly string _protocol;
    private readonly HttpRequestMessage _request;
    private readonly Task<HttpResponseMessage> _response;

    private HeldAppend(HttpClient client, string protocol, string url)
    {
        (_protocol, Url) = (protocol, url);
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

    /// <summary>Creates an upload, sends a part of it in a second request, and waits until it is stored.</summary>
    /// <param name="app">The app.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="file">The content of the upload.</param>
    /// <param name="length">The number of bytes to send.</param>
    /// <param name="isStored">Returns whether these bytes are stored.</param>
    public static async Task<HeldAppend> StartAsync(TestApp app, string protocol, byte[] file, int length, Func<Task<bool>> isStored)
    {
        var held = new HeldAppend(app.Client, protocol, await app.Client.BeginAsync(protocol, "/upload", file[..Begun], file.Length));
        await held.SendAsync(file.AsMemory(Begun, length - Begun));
        await Eventually.TrueAsync(isStored, "the bytes are stored");
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

    /// <summary>Asserts that the response of the app says that another request continues the upload.</summary>
    public async Task AssertTakenOverAsync()
    {
        // HttpClient reads the response after it has sent the body.
        await _body.Writer.CompleteAsync();
        using HttpResponseMessage response = await Eventually.WithinAsync(_response);
        await response.ProblemAsync(_protocol == ProtocolClient.Tus ? 400 : 409, IetfClient.Own + "taken-over");
    }

    /// <summary>Sends the rest of the body, and asserts that the app has accepted it.</summary>
    public async Task FinishAsync(ReadOnlyMemory<byte> rest)
    {
        await SendAsync(rest);
        await _body.Writer.CompleteAsync();
        using HttpResponseMessage response = await Eventually.WithinAsync(_response);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public void Dispose()
    {
        _body.Writer.Complete(new IOException("The client is gone."));
        _request.Dispose();
    }

    /// <summary>A body whose bytes are sent as soon as they are written.</summary>
    private sealed class LiveContent(PipeReader body) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
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

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
