using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>Records the requests, responses and errors of a page.</summary>
public sealed class Traffic
{
    private readonly ConcurrentQueue<IRequest> _requests = new();

    public Traffic(IPage page)
    {
        page.Request += (_, request) => _requests.Enqueue(request);
        page.RequestFailed += (_, request) => FailedRequests.Enqueue($"{request.Method} {request.Url}: {request.Failure}");
        page.PageError += (_, error) => Errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                ConsoleErrors.Enqueue(message.Text);
            }
        };
    }

    /// <summary>Gets the unhandled exceptions of the page.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    /// <summary>Gets the errors and warnings on the console. The browser writes one for each failed connection.</summary>
    public ConcurrentQueue<string> ConsoleErrors { get; } = new();

    public ConcurrentQueue<string> FailedRequests { get; } = new();

    public IReadOnlyList<IRequest> Requests => [.. _requests];

    /// <summary>Gets the start byte of each append.</summary>
    public IReadOnlyList<long> StartBytes => [.. Appends.Select(StartByte)];

    /// <summary>Gets the requests with content. The browser client creates the upload of a large file with an empty request.</summary>
    public IEnumerable<IRequest> Appends => _requests.Where(static request => request.Method == "POST" && !IsCreation(request));

    /// <summary>Returns the offsets in the successful status responses.</summary>
    public async Task<IReadOnlyList<long>> StatusesAsync()
    {
        var statuses = new List<long>();
        foreach (IRequest request in _requests.Where(static request => request.Method == "GET" && request.Headers.ContainsKey("x-file-id")))
        {
            if (request.Failure is null && await request.ResponseAsync() is { Status: 200 } response)
            {
                // The body contains the same number, but is not available after a reload.
                statuses.Add(long.Parse(response.Headers["x-start-byte"], CultureInfo.InvariantCulture));
            }
        }

        return statuses;
    }

    public static long StartByte(IRequest request) => long.Parse(request.Headers["x-start-byte"], CultureInfo.InvariantCulture);

    /// <summary>Returns whether a request has added no byte to an upload at its start.</summary>
    private static bool IsCreation(IRequest request) =>
        StartByte(request) == 0
        && request.ExistingResponse is { Status: 200, Headers: var headers }
        && headers.GetValueOrDefault("x-start-byte") == "0"
        && headers.GetValueOrDefault("x-upload-complete") == "false";
}
