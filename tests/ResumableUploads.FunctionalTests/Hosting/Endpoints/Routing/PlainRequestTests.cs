using System.Text;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing;

/// <summary>
/// Requests without upload headers get the same response as in an app without the package: every method, URL and content type,
/// compared between two apps that differ only in the package.
/// </summary>
public class PlainRequestTests
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

    private static readonly string[] Paths =
    [
        "/", "/none", "/post", "/post/", "/POST", "/post/more", "/put", "/both", "/any", "/json", "/form", "/typed", "/videos", "/videos/", "/videos/7", "/videos/x",
        "/videos/special", "/videos/special/more", "/two", "/split", "/files", "/files/", "/files/a/b.c", "/hosted", "/constrained/7", "/constrained/4", "/constrained/x",
        "/ordered/literal", "/ordered/other", "/albums/1/photos", "/albums/1/photos/2", "/albums/1", "/mixed/a", "/mixed/b", "/mixed/c", "/mvc/photos", "/mvc/plain",
        "/fallback", "/fallback/a/b", "/fallback/a.txt",
    ];

    private static readonly string?[] ContentTypes =
        [null, "text/plain", "application/json", "image/png", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "not a type"];

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task Plain_request_gets_same_response_as_without_the_package(bool onTestHost, bool choosesPlace)
    {
        await using TestApp with = await RoutedApp.StartAsync(isResumable: true, onTestHost, choosesPlace);
        await using TestApp without = await RoutedApp.StartAsync(isResumable: false, onTestHost);
        var statuses = new Dictionary<string, int>();
        foreach (Func<HttpRequestMessage> request in Requests())
        {
            string expected = await AnswerAsync(without.Client, request());
            string actual = await AnswerAsync(with.Client, request());

            // What can be done at an endpoint is asked without a header of any protocol; nothing else is answered in the app's place. Where nothing can be
            // posted either (on another host, against a constraint), there is no endpoint.
            bool isDiscovery = IsDiscovery(request()) && expected[..3] == "405" && (actual[..3] == "200"
                || (actual[..3] == "404" && (await AnswerAsync(without.Client, Of("POST", request().RequestUri!.OriginalString, "text/plain")))[..3] == "404"));
            Assert.True(expected == actual || isDiscovery, $"{request()}\nwithout:\n{expected}\nwith:\n{actual}");
            statuses[expected[..3]] = statuses.GetValueOrDefault(expected[..3]) + 1;
        }

        // The table is about something: it has answers of every kind.
        Assert.All(["200", "204", "400", "404", "405", "415"], status => Assert.True(statuses.GetValueOrDefault(status) > 0, $"{status}: {statuses.GetValueOrDefault(status)}"));
    }

    private static bool IsDiscovery(HttpRequestMessage request) =>
        request.Method == HttpMethod.Options && !request.Headers.Contains("Access-Control-Request-Method");

    private static IEnumerable<Func<HttpRequestMessage>> Requests()
    {
        foreach (string path in Paths)
        {
            foreach (string method in Methods)
            {
                IEnumerable<string?> types = method is "POST" or "PUT" or "PATCH" ? ContentTypes : [null];
                foreach (string? type in types)
                {
                    yield return () => Of(method, path, type);
                }
            }

            foreach (string host in new[] { "here.example", "there.example" })
            {
                yield return () => Of("POST", path, "text/plain", ("Host", host));
            }

            // Headers that a protocol has too, and that do not make a request one of it.
            yield return () => Of("POST", path, "text/plain", ("X-Start-Byte", "5"), ("X-File-Size", "7"), ("X-File-Name", "n"));
            foreach (string method in new[] { "POST", "PUT", "DELETE", "GET" })
            {
                yield return () => Of("OPTIONS", path, null, ("Origin", "https://other.example"), ("Access-Control-Request-Method", method));
                yield return () => Of("OPTIONS", path, null, ("Origin", "https://bad.example"), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "content-type"));
            }
        }
    }

    private static HttpRequestMessage Of(string method, string path, string? type, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST" or "PUT" or "PATCH")
        {
            request.Content = new ByteArrayContent(type == "application/json" ? """{"name":"x"}"""u8.ToArray() : "text"u8.ToArray());
            if (type is not null)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static async Task<string> AnswerAsync(HttpClient client, HttpRequestMessage request)
    {
        using (request)
        {
            HttpResponseMessage response;
            try
            {
                response = await client.SendAsync(request);
            }
            catch (Exception e) when (e.GetType().Name == "AmbiguousMatchException")
            {
                // Two actions that differ in what they consume, and a request that does not say. TestHost passes it on.
                return "500 " + string.Join('\n', e.Message.Split('\n').Order(StringComparer.Ordinal));
            }

            using HttpResponseMessage owned = response;
            var text = new StringBuilder().Append((int)response.StatusCode).Append('\n');
            foreach ((string name, IEnumerable<string> values) in response.Headers.Concat(response.Content.Headers).OrderBy(static header => header.Key, StringComparer.Ordinal))
            {
                if (name != "Date")
                {
                    text.Append(name).Append(": ").AppendJoin(" | ", values).Append('\n');
                }
            }

            string body = await response.Content.ReadAsStringAsync();
            return text.Append(body.Split("traceId")[0]).ToString();
        }
    }
}
