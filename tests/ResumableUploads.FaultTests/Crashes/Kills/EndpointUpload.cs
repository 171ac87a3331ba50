using System.Net;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>An upload to the endpoint in the other process, which dies at one of its steps.</summary>
/// <param name="fileId">Its file id.</param>
/// <param name="content">The content.</param>
/// <param name="die">The step, or null to keep the process alive.</param>
internal sealed class EndpointUpload(string fileId, byte[] content, string? die = null)
{
    private const string Path = "/effects";
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private string Url => die is null ? Path : $"{Path}?die={die}";

    /// <summary>Gets its key, as used by the endpoint and its table.</summary>
    public string Key { get; } = UploadKeyFactory.FromFileId("anonymous", UploadScopes.OfEndpoint(Path), Encoding.Latin1.GetBytes(fileId)).ToString();

    public string Hash { get; } = Convert.ToHexString(SHA256.HashData(content));

    public Task<long> StatusAsync(HttpClient client) => client.StatusAsync(fileId, Url);

    /// <summary>Sends a part of the content.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpClient client, long offset, long end) =>
        client.AppendAsync(fileId, offset, new ByteArrayContent(content[(int)offset..(int)end]), content.Length, Url);

    /// <summary>Sends all chunks and returns the pending response of the last one.</summary>
    /// <param name="client">The client.</param>
    /// <param name="cuts">The offsets at which the content is split, in ascending order.</param>
    public async Task<Task<HttpResponseMessage>> SendChunksAsync(HttpClient client, params int[] cuts)
    {
        int offset = 0;
        foreach (int end in cuts)
        {
            using HttpResponseMessage chunk = await SendAsync(client, offset, end);
            Assert.Equal((HttpStatusCode.OK, $"{end}", "false"), (chunk.StatusCode, await chunk.Content.ReadAsStringAsync(), chunk.Header("X-Upload-Complete")));
            offset = end;
        }

        return SendAsync(client, offset, content.Length);
    }

    /// <summary>
    /// Behaves like a client that has lost the response: requests the status, sends the missing bytes, and polls until it receives the response.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="least">The offset that the server has acknowledged before.</param>
    public async Task<EndpointResponse> ReconnectAsync(HttpClient client, long least)
    {
        for (int i = 0; i < 10; i++)
        {
            long status = await StatusAsync(client);
            Assert.InRange(status, least, content.Length);
            least = status;
            using HttpResponseMessage response = await SendAsync(client, status, content.Length);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                return await EndpointResponse.OfAsync(response);
            }

            TimeSpan wait = response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero;
            Assert.InRange(wait, TimeSpan.FromMilliseconds(1), LongestWait);
            using var timer = new PeriodicTimer(wait);
            await timer.WaitForNextTickAsync();
        }

        throw new InvalidOperationException($"{fileId}: it was 'later' ten times.");
    }

    /// <summary>Requests the status at the full size.</summary>
    public async Task<EndpointResponse> AskAsync(HttpClient client)
    {
        using HttpResponseMessage response = await SendAsync(client, content.Length, content.Length);
        return await EndpointResponse.OfAsync(response);
    }
}
