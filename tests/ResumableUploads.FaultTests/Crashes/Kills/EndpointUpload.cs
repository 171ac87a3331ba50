using System.Net;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Hosting.Ownership;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>An upload to the endpoint of the app in the other process, which dies at a step of it.</summary>
/// <param name="fileId">Its file id.</param>
/// <param name="content">What it sends.</param>
/// <param name="die">The step, or null where it lives.</param>
internal sealed class EndpointUpload(string fileId, byte[] content, string? die = null)
{
    private const string Path = "/effects";
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private string Url => die is null ? Path : $"{Path}?die={die}";

    /// <summary>Its key, as the endpoint and its table name it.</summary>
    public string Key { get; } = UploadKeyFactory.FromFileId("anonymous", Path, Encoding.Latin1.GetBytes(fileId)).ToString();

    public string Hash { get; } = Convert.ToHexString(SHA256.HashData(content));

    public Task<long> StatusAsync(HttpClient client) => client.StatusAsync(fileId, Url);

    /// <summary>Sends a part of it.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpClient client, long offset, long end) =>
        client.AppendAsync(fileId, offset, new ByteArrayContent(content[(int)offset..(int)end]), content.Length, Url);

    /// <summary>Sends it up to its last piece, whose answer is not waited for.</summary>
    /// <param name="client">Where to.</param>
    /// <param name="cuts">Where it is cut, rising.</param>
    public async Task<Task<HttpResponseMessage>> SendPiecesAsync(HttpClient client, params int[] cuts)
    {
        int offset = 0;
        foreach (int end in cuts)
        {
            using HttpResponseMessage piece = await SendAsync(client, offset, end);
            Assert.Equal((HttpStatusCode.OK, $"{end}", "false"), (piece.StatusCode, await piece.Content.ReadAsStringAsync(), piece.Header("X-Upload-Complete")));
            offset = end;
        }

        return SendAsync(client, offset, content.Length);
    }

    /// <summary>As a client does that has lost the answer: asks for the status, sends what is missing, and asks until it is told.</summary>
    /// <param name="client">Where to.</param>
    /// <param name="least">What the server has acknowledged before.</param>
    public async Task<EndpointAnswer> ComeBackAsync(HttpClient client, long least)
    {
        for (int i = 0; i < 10; i++)
        {
            long status = await StatusAsync(client);
            Assert.InRange(status, least, content.Length);
            least = status;
            using HttpResponseMessage response = await SendAsync(client, status, content.Length);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                return await EndpointAnswer.OfAsync(response);
            }

            TimeSpan wait = response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero;
            Assert.InRange(wait, TimeSpan.FromMilliseconds(1), LongestWait);
            using var timer = new PeriodicTimer(wait);
            await timer.WaitForNextTickAsync();
        }

        throw new InvalidOperationException($"{fileId}: it was 'later' ten times.");
    }

    /// <summary>Asks again, at the full size.</summary>
    public async Task<EndpointAnswer> AskAsync(HttpClient client)
    {
        using HttpResponseMessage response = await SendAsync(client, content.Length, content.Length);
        return await EndpointAnswer.OfAsync(response);
    }
}
