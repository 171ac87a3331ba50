using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>Cookies that the endpoint and the middleware around it set in the same response.</summary>
public class ResponseCookieTests
{
    [Theory]
    [InlineData("/before")]
    [InlineData("/starting")]
    public async Task Upload_sets_the_same_cookies_as_a_plain_request(string path)
    {
        await using TestApp app = await EndpointApp.StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                if (path == "/before")
                {
                    context.Response.Cookies.Append("outer", "1");
                }
                else
                {
                    context.Response.OnStarting(() =>
                    {
                        context.Response.Cookies.Append("outer", "1");
                        return Task.CompletedTask;
                    });
                }

                return next(context);
            });
            app.MapPost(path, static (HttpContext context) =>
            {
                context.Response.Cookies.Append("inner", "2");
                return "saved";
            }).WithResumableUploads();
        });
        using var plain = new ByteArrayContent([1]);
        using HttpResponseMessage expected = await app.Client.PostAsync(path, plain);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 1, path);
        Assert.Equal((200, "saved"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(Cookies(expected), Cookies(response));
        Assert.Equal(2, Cookies(response).Length);
    }

    /// <summary>Returns the cookies of the app, without that of the anonymous owner.</summary>
    private static string[] Cookies(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? values)
            ? [.. values.Where(static value => !value.Contains("resumable-uploads", StringComparison.Ordinal)).Order(StringComparer.Ordinal)]
            : [];
}
