using System.Net;
using ResumableUploads.Client;

namespace ResumableUploads.UnitTests.Client;

/// <summary>A server whose responses a test defines. It throws after 100 requests, so that an endless loop of the client ends.</summary>
/// <param name="respond">Returns the response to a request and the length of its body.</param>
internal sealed class ScriptedHandler(Func<HttpRequestMessage, long, HttpResponseMessage> respond) : HttpMessageHandler
{
    private const int MaxRequests = 100;

    /// <summary>Gets the methods and URLs of the requests.</summary>
    public List<string> Requests { get; } = [];

    /// <param name="statusCode">The status code.</param>
    /// <param name="headers">The headers, as <c>Name: value</c> separated by line feeds.</param>
    public static HttpResponseMessage Response(int statusCode, string headers = "")
    {
        var response = new HttpResponseMessage((HttpStatusCode)statusCode) { Content = new ByteArrayContent([]) };
        foreach (string line in headers.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(": ", 2);
            response.Headers.TryAddWithoutValidation(parts[0], parts[1]);
        }

        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Add($"{request.Method} {request.RequestUri}");
        if (Requests.Count > MaxRequests)
        {
            throw new InvalidOperationException($"The client has sent more than {MaxRequests} requests.");
        }

        byte[] body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        return respond(request, body.Length);
    }
}

/// <summary>A store that returns one state for all keys.</summary>
internal sealed class SingleStateStore : IUploadStateStore
{
    public UploadStateEntry? State { get; set; }

    /// <summary>Gets the number of calls.</summary>
    public int Calls { get; private set; }

    public ValueTask<UploadStateEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        Calls++;
        return ValueTask.FromResult(State);
    }

    public ValueTask SetAsync(string key, UploadStateEntry state, CancellationToken cancellationToken)
    {
        Calls++;
        State = state;
        return ValueTask.CompletedTask;
    }

    public ValueTask RemoveAsync(string key, CancellationToken cancellationToken)
    {
        Calls++;
        State = null;
        return ValueTask.CompletedTask;
    }
}
