using System.Net;
using System.Text.Json;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Hosting.ProgressEvents;

/// <summary>An event that a follower has received.</summary>
/// <param name="Name">The name of the event.</param>
/// <param name="Id">The identifier of the event.</param>
/// <param name="Data">The data.</param>
internal sealed record ReceivedEvent(string Name, string Id, JsonElement Data)
{
    public long Offset => Data.GetProperty("offset").GetInt64();

    public string? State => Data.GetProperty("state").GetString();

    public bool IsComplete => Data.GetProperty("complete").GetBoolean();
}

/// <summary>A client that follows an upload over a connection of its own.</summary>
internal sealed class Follower(HttpResponseMessage response) : IDisposable
{
    private StreamReader? _reader;

    public HttpResponseMessage Response => response;

    public HttpStatusCode Status => response.StatusCode;

    /// <summary>Gets the number of comments that were received.</summary>
    public int Comments { get; private set; }

    public static async Task<Follower> OpenAsync(HttpClient client, string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        request.Headers.Add("Accept", "text/event-stream");
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return new Follower(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
    }

    /// <summary>Reads the next event, or <see langword="null"/> at the end of the stream.</summary>
    public Task<ReceivedEvent?> ReadAsync() => Eventually.WithinAsync(ReadNextAsync());

    /// <summary>Reads events up to the first one that fulfills a condition.</summary>
    public Task<ReceivedEvent> ReadUntilAsync(Func<ReceivedEvent, bool> condition) => Eventually.WithinAsync(ReadNextUntilAsync(condition));

    public void Dispose()
    {
        _reader?.Dispose();
        response.Dispose();
    }

    private async Task<ReceivedEvent?> ReadNextAsync()
    {
        _reader ??= new StreamReader(await response.Content.ReadAsStreamAsync());
        var fields = new Dictionary<string, string>();
        while (await _reader.ReadLineAsync() is { } line)
        {
            if (line.Length == 0 && fields.TryGetValue("data", out string? data))
            {
                return new ReceivedEvent(fields["event"], fields["id"], JsonSerializer.Deserialize<JsonElement>(data));
            }

            if (line.StartsWith(':'))
            {
                Comments++;
            }
            else if (line.Split(": ", 2) is [var name, var value])
            {
                fields[name] = value;
            }
        }

        return null;
    }

    private async Task<ReceivedEvent> ReadNextUntilAsync(Func<ReceivedEvent, bool> condition)
    {
        while (await ReadNextAsync() is { } received)
        {
            if (condition(received))
            {
                return received;
            }
        }

        throw new InvalidOperationException("The events ended before the condition was met.");
    }
}
