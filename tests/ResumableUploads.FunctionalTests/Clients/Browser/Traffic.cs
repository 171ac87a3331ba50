using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Playwright;

namespace ResumableUploads.FunctionalTests.Clients.Browser;

/// <summary>What a page sends and is told, and what goes wrong in it.</summary>
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

    /// <summary>Exceptions that nobody caught: always a defect.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    /// <summary>Errors and warnings on the console; the browser itself writes one for each connection that fails.</summary>
    public ConcurrentQueue<string> ConsoleErrors { get; } = new();

    public ConcurrentQueue<string> FailedRequests { get; } = new();

    public IReadOnlyList<IRequest> Requests => [.. _requests];

    /// <summary>Where each request that sent bytes began.</summary>
    public IReadOnlyList<long> StartBytes => [.. Appends.Select(StartByte)];

    public IEnumerable<IRequest> Appends => _requests.Where(static request => request.Method == "POST");

    /// <summary>What each status request was answered, for those that were.</summary>
    public async Task<IReadOnlyList<long>> StatusesAsync()
    {
        var statuses = new List<long>();
        foreach (IRequest request in _requests.Where(static request => request.Url.EndsWith("/status", StringComparison.Ordinal)))
        {
            if (request.Failure is null && await request.ResponseAsync() is { Status: 200 } response)
            {
                // The body, which says the same, is gone after a reload.
                statuses.Add(long.Parse(response.Headers["x-start-byte"], CultureInfo.InvariantCulture));
            }
        }

        return statuses;
    }

    public static long StartByte(IRequest request) => long.Parse(request.Headers["x-start-byte"], CultureInfo.InvariantCulture);
}
