using System.Globalization;
using System.Net;
using System.Text;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Tickets;

/// <summary>Uploads with a ticket on Kestrel whose connection breaks.</summary>
public class InterruptedTicketUploadTests
{
    private const string First = "hello ";
    private const string Rest = "from a device";

    public static TheoryData<string, string> Cases =>
        [.. from place in TusApp.Places from protocol in ProtocolClient.Protocols select (place.Data, protocol.Data)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Upload_is_resumed_after_a_broken_connection(string place, string protocol)
    {
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TicketApp app = await TicketApp.StartAsync(
            place,
            options => options.OnProgress = (progress, _) =>
            {
                if (progress.Offset > 0)
                {
                    received.TrySetResult();
                }

                return Task.CompletedTask;
            },
            onKestrel: true);
        UploadTicket ticket = app.CreateTicket();
        string url = protocol == ProtocolClient.FileId ? ticket.Url : await app.Client.BeginAsync(protocol, ticket.Url, [], First.Length + Rest.Length);
        using (var broken = new HttpClient { BaseAddress = app.App.Address })
        {
            using HttpRequestMessage request = CreateAppend(protocol, url, received.Task);
            await Assert.ThrowsAnyAsync<Exception>(() => broken.SendAsync(request));
        }

        Assert.True(received.Task.IsCompletedSuccessfully, "The server has received bytes before the connection broke.");
        (int status, string? text) = await app.Client.GetOffsetAsync(protocol, url);
        Assert.Contains(status, new[] { 200, 204 });
        int offset = int.Parse(text!, CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1, First.Length);
        using HttpResponseMessage finished = await app.Client.FinishAsync(
            protocol, url, offset, Encoding.ASCII.GetBytes((First + Rest)[offset..]), protocol == ProtocolClient.FileId ? [("X-File-Size", $"{First.Length + Rest.Length}")] : []);
        Assert.True(finished.IsSuccessStatusCode, $"{finished}");
        TicketedFile file = Assert.Single(app.Received);
        Assert.Equal((First + Rest, ticket.Id), (file.Content, file.Ticket?.Id));
    }

    private static HttpRequestMessage CreateAppend(string protocol, string url, Task received)
    {
        var request = new HttpRequestMessage(protocol == ProtocolClient.FileId ? HttpMethod.Post : HttpMethod.Patch, url) { Content = new BrokenContent(received) };
        foreach ((string name, string value) in (IEnumerable<(string, string)>)(protocol switch
        {
            ProtocolClient.FileId => [("X-File-Id", "f"), ("X-File-Size", $"{First.Length + Rest.Length}")],
            ProtocolClient.Tus => [("Tus-Resumable", "1.0.0"), ("Upload-Offset", "0"), ("Content-Type", "application/offset+octet-stream")],
            _ => [("Upload-Draft-Interop-Version", "10"), ("Upload-Offset", "0"), ("Upload-Complete", "?1"), ("Content-Type", "application/partial-upload")],
        }))
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || request.Content!.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>A body that breaks the connection after the server has received its first part.</summary>
    private sealed class BrokenContent(Task received) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(First));
            await stream.FlushAsync();
            await Eventually.WithinAsync(received);
            throw new IOException("The connection is broken.");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = First.Length + Rest.Length;
            return true;
        }
    }
}
