using System.Globalization;
using System.Text.Json;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.Testing.Clients;

/// <summary>A client of the IETF draft, and assertions on its responses.</summary>
internal static class IetfClient
{
    public const int Newest = 10;
    public const string Registered = "https://iana.org/assignments/http-problem-types#";
    public const string Own = "urn:resumable-uploads:";

    /// <summary>Gets the supported interop versions.</summary>
    public static TheoryData<int> Versions => [3, 4, 5, 6, 7, 8, 9, 10];

    /// <summary>Sends a request of an interop version, or without a version if it is null.</summary>
    public static Task<HttpResponseMessage> IetfAsync(
        this HttpClient client, string method, string url, int? version, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), url)
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
            Content = content,
        };
        if (version is { } interop)
        {
            request.Headers.Add("Upload-Draft-Interop-Version", interop.ToString(CultureInfo.InvariantCulture));
        }

        foreach ((string name, string value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content!.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return client.SendAsync(request);
    }

    /// <summary>Creates an upload with POST.</summary>
    public static Task<HttpResponseMessage> CreateAsync(
        this HttpClient client, bool isLast, byte[] content, int? version = Newest, params (string Name, string Value)[] headers) =>
        client.IetfAsync("POST", IetfApp.Url, version, new ByteArrayContent(content), [Completeness(version, isLast), .. headers]);

    /// <summary>Creates an upload without content and returns its URL.</summary>
    public static async Task<string> BeginAsync(this HttpClient client, int? version = Newest, params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage created = await client.CreateAsync(false, [], version, headers);
        Assert.Equal(201, (int)created.StatusCode);
        return created.Header("Location")!;
    }

    public static Task<HttpResponseMessage> AppendAsync(
        this HttpClient client, string url, long offset, bool isLast, byte[] content, int? version = Newest, params (string Name, string Value)[] headers) =>
        client.AppendAsync(url, offset, isLast, new ByteArrayContent(content), version, headers);

    public static Task<HttpResponseMessage> AppendAsync(
        this HttpClient client, string url, long offset, bool isLast, HttpContent content, int? version = Newest, params (string Name, string Value)[] headers)
    {
        content.Headers.TryAddWithoutValidation("Content-Type", "application/partial-upload");
        return client.IetfAsync("PATCH", url, version, content,
            [("Upload-Offset", offset.ToString(CultureInfo.InvariantCulture)), Completeness(version, isLast), .. headers]);
    }

    public static Task<HttpResponseMessage> HeadAsync(this HttpClient client, string url, int? version = Newest, params (string Name, string Value)[] headers) =>
        client.IetfAsync("HEAD", url, version, null, headers);

    /// <summary>Returns the offset and whether the upload is complete, or null if it does not exist.</summary>
    public static async Task<(long Offset, bool IsComplete)?> StateAsync(this HttpClient client, string url)
    {
        using HttpResponseMessage head = await client.HeadAsync(url);
        return (int)head.StatusCode == 404 ? null
            : (long.Parse(head.Header("Upload-Offset")!, CultureInfo.InvariantCulture), head.Header("Upload-Complete") == "?1");
    }

    /// <summary>Returns the header with which a version states whether a request contains the last byte.</summary>
    public static (string Name, string Value) Completeness(int? version, bool isLast) =>
        version == 3 ? ("Upload-Incomplete", isLast ? "?0" : "?1") : ("Upload-Complete", isLast ? "?1" : "?0");

    /// <summary>Returns the status code, the offset and the completeness of a response.</summary>
    public static (int Status, string? Offset, string? Complete) State(this HttpResponseMessage response) =>
        ((int)response.StatusCode, response.Header("Upload-Offset"), response.Header("Upload-Complete"));

    /// <summary>Asserts that a response is a problem of the given type and returns it.</summary>
    public static async Task<JsonElement> ProblemAsync(this HttpResponseMessage response, int status, string type)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        using JsonDocument json = JsonDocument.Parse(body);
        Assert.Equal((type, status), (json.RootElement.GetProperty("type").GetString(), json.RootElement.GetProperty("status").GetInt32()));
        return json.RootElement.Clone();
    }
}
