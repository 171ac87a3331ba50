using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.TestKit;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>The response of an endpoint is buffered until it is stored, then sent, and replayed.</summary>
public class BufferedResponseTests
{
    private const string Path = "/e";

    /// <summary>The ways in which an endpoint can write the same four bytes.</summary>
    public static TheoryData<string> Ways => ["stream", "sync stream", "writer", "writer unflushed", "text", "file", "started first", "completed"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Response_is_replayed_unchanged_however_it_is_written(string way)
    {
        string file = System.IO.Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "<<done>>");
        try
        {
            await using TestApp app = await StartAsync(async context =>
            {
                HttpResponse response = context.Response;
                response.StatusCode = 202;
                response.ContentType = "text/x-way";
                byte[] text = "done"u8.ToArray();
                switch (way)
                {
                    case "stream":
                        await response.Body.WriteAsync(text.AsMemory(0, 1));
                        await response.Body.FlushAsync();
                        await response.Body.WriteAsync(text.AsMemory(1));
                        break;
                    case "sync stream":
#pragma warning disable CA1849 // That is what is tried.
                        response.Body.Write(text, 0, 4);
#pragma warning restore CA1849
                        break;
                    case "writer":
                        await response.BodyWriter.WriteAsync(text);
                        break;
                    case "writer unflushed":
                        text.CopyTo(response.BodyWriter.GetMemory(4));
                        response.BodyWriter.Advance(4);
                        break;
                    case "file":
                        await response.SendFileAsync(file, 2, 4);
                        break;
                    case "started first":
                        await response.StartAsync();
                        await response.WriteAsync("done");
                        break;
                    case "completed":
                        await response.WriteAsync("done");
                        await response.CompleteAsync();
                        break;
                    default:
                        await response.WriteAsync("done");
                        break;
                }
            });
            for (int i = 0; i < 2; i++)
            {
                using HttpResponseMessage answer = await SendAsync(app, again: i == 1);
                Assert.Equal((HttpStatusCode.Accepted, "text/x-way", "done"), (answer.StatusCode, answer.Header("Content-Type"), await answer.Content.ReadAsStringAsync()));
                Assert.Equal("4", answer.Header("Content-Length"));
                Assert.Equal(("true", "3"), (answer.Header("X-Upload-Complete"), answer.Header("X-Start-Byte")));
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Only_headers_that_describe_the_response_are_replayed()
    {
        await using TestApp app = await StartAsync(
            context =>
            {
                IHeaderDictionary headers = context.Response.Headers;
                headers.Location = "/e/1";
                headers.ETag = "\"v1\"";
                headers.Link = new(["</a>; rel=next", "</b>; rel=prev"]);
                headers.CacheControl = "private";
                headers["X-Kept"] = "yes";
                headers["X-Other"] = "once";
                headers.SetCookie = "session=secret";
                headers.WWWAuthenticate = "Basic";
                return context.Response.WriteAsync("x");
            },
            options => options.Handler.StoredHeaders.Add("X-Kept"));
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage answer = await SendAsync(app, again: i == 1);
            Assert.Equal("/e/1", answer.Header("Location"));
            Assert.Equal("\"v1\"", answer.Header("ETag"));
            Assert.Equal(["</a>; rel=next", "</b>; rel=prev"], answer.Headers.GetValues("Link"));
            Assert.Equal(["private"], answer.Headers.GetValues("Cache-Control"));
            Assert.Equal("yes", answer.Header("X-Kept"));
            Assert.Equal(i == 0 ? "once" : null, answer.Header("X-Other"));
            Assert.Equal(i == 0 ? "session=secret" : null, answer.Header("Set-Cookie"));
            Assert.Equal(i == 0 ? "Basic" : null, answer.Header("WWW-Authenticate"));
        }
    }

    [Theory]
    [InlineData(64 * 1024, true)]
    [InlineData((64 * 1024) + 1, false)]
    [InlineData(5_000_000, false)]
    public async Task Body_over_limit_is_replayed_without_body(int length, bool isKept)
    {
        string text = new('a', length);
        int runs = 0;
        await using TestApp app = await StartAsync(async context =>
        {
            runs++;
            context.Response.StatusCode = 201;
            context.Response.Headers.Location = "/long";
            context.Response.Headers["X-Once"] = "yes";
            for (int at = 0; at < length; at += 10_000)
            {
                await context.Response.WriteAsync(text[at..Math.Min(at + 10_000, length)]);
            }
        });
        using HttpResponseMessage first = await SendAsync(app, again: false);
        Assert.Equal((HttpStatusCode.Created, text), (first.StatusCode, await first.Content.ReadAsStringAsync()));
        Assert.Equal(("/long", "true", "yes"), (first.Header("Location"), first.Header("X-Upload-Complete"), first.Header("X-Once")));
        using HttpResponseMessage again = await SendAsync(app, again: true);
        Assert.Equal((HttpStatusCode.Created, isKept ? text : ""), (again.StatusCode, await again.Content.ReadAsStringAsync()));
        Assert.Equal(("/long", "true"), (again.Header("Location"), again.Header("X-Upload-Complete")));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Streamed_response_that_fails_is_aborted_and_runs_endpoint_again()
    {
        var attempts = new List<int>();
        await using TestApp app = await StartAsync(async context =>
        {
            attempts.Add(context.Features.Get<IResumableUploadFeature>()!.Attempt);
            await context.Response.WriteAsync(new string('a', 200_000));
            if (attempts.Count < 3)
            {
                throw new InvalidOperationException("in the middle");
            }
        });
        int aborted = 0;
        int length = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    // Status 503: the request has joined a run that was about to fail.
                    using HttpResponseMessage answer = await SendAsync(app, again: attempts.Count > 0);
                    length = (await answer.Content.ReadAsStringAsync()).Length;
                    return answer.StatusCode == HttpStatusCode.OK;
                }
                catch (HttpRequestException)
                {
                    aborted++;
                    return false;
                }
            },
            "the endpoint has succeeded");
        Assert.Equal((2, 200_000), (aborted, length));
        using HttpResponseMessage replayed = await SendAsync(app, again: true);
        Assert.Equal((HttpStatusCode.OK, "true", ""), (replayed.StatusCode, replayed.Header("X-Upload-Complete"), await replayed.Content.ReadAsStringAsync()));
        Assert.Contains(app.Log.Lines, static line => line.Contains(" of 14)", StringComparison.Ordinal) && line.Contains("in the middle", StringComparison.Ordinal));
        Assert.Equal([1, 2, 3], attempts);
    }

    [Fact]
    public async Task Streamed_response_that_cannot_be_stored_is_aborted()
    {
        int runs = 0;
        var store = new ChaosUploadStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(
            async context =>
            {
                runs++;
                await context.Response.WriteAsync(new string('a', 200_000));
            },
            options => options.Store = store);
        store.InjectFault(ChaosOperation.Complete, ChaosTiming.BeforeCall, ChaosFault.Throw(StoreFailure.Unavailable));
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(app, again: false));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Streamed_response_to_disconnected_client_is_completed_and_stored()
    {
        var disconnected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int runs = 0;
        await using TestApp app = await StartAsync(async context =>
        {
            runs++;
            await context.Response.WriteAsync(new string('a', 100_000));
            await context.Response.Body.FlushAsync();
            await disconnected.Task;
            for (int i = 0; i < 100; i++)
            {
                await context.Response.WriteAsync(new string('a', 100_000));
                await context.Response.Body.FlushAsync();
            }
        });
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendAsync(
                $"POST {Path} HTTP/1.1\r\nHost: {app.Address.Authority}\r\nX-File-Id: f\r\nX-Start-Byte: 0\r\nX-File-Size: 3\r\nContent-Length: 3\r\n\r\nabc");
            Assert.Equal(200, (await connection.ReadResponseAsync(toHead: true))!.Status);
            connection.Reset();
        }

        disconnected.SetResult();
        using HttpResponseMessage again = await SendAsync(app, again: true);
        Assert.Equal((HttpStatusCode.OK, "true", 1), (again.StatusCode, again.Header("X-Upload-Complete"), runs));
    }

    [Fact]
    public async Task Streamed_response_that_is_not_final_runs_endpoint_again()
    {
        int runs = 0;
        await using TestApp app = await StartAsync(async context =>
        {
            context.Response.StatusCode = ++runs == 1 ? 503 : 200;
            await context.Response.WriteAsync(new string('a', 100_000));
        });
        using HttpResponseMessage first = await SendAsync(app, again: false);
        Assert.Equal((503, 100_000, "false"), ((int)first.StatusCode, (await first.Content.ReadAsStringAsync()).Length, first.Header("X-Upload-Complete")));
        using HttpResponseMessage again = await SendAsync(app, again: true);
        Assert.Equal((200, 100_000, "true"), ((int)again.StatusCode, (await again.Content.ReadAsStringAsync()).Length, again.Header("X-Upload-Complete")));
    }

    [Fact]
    public async Task Streamed_response_that_is_not_final_and_fails_is_aborted()
    {
        await using TestApp app = await StartAsync(static async context =>
        {
            context.Response.StatusCode = 503;
            await context.Response.WriteAsync(new string('a', 200_000));
            throw new InvalidOperationException("in the middle");
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(app, again: false));
    }

    [Fact]
    public async Task Response_starts_as_on_server_and_runs_callbacks()
    {
        var seen = new List<string>();
        var completed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestApp app = await StartAsync(async context =>
        {
            HttpResponse response = context.Response;
            response.OnStarting(() => Add("starting first"));
            response.OnStarting(() =>
            {
                response.Headers.ETag = "\"late\"";
                return Add("starting second");
            });
            response.OnCompleted(() =>
            {
                completed.SetResult();
                return Task.CompletedTask;
            });
            Assert.False(response.HasStarted);
            await response.WriteAsync("x");
            Assert.True(response.HasStarted);
            Assert.Throws<InvalidOperationException>(() => response.StatusCode = 500);
            Assert.Throws<InvalidOperationException>(() => response.Headers.ETag = "\"too late\"");
            Assert.Throws<InvalidOperationException>(() => response.OnStarting(() => Task.CompletedTask));
            await Add("written");
        });
        using HttpResponseMessage answer = await SendAsync(app, again: false);
        Assert.Equal((HttpStatusCode.OK, "\"late\""), (answer.StatusCode, answer.Header("ETag")));
        Assert.Equal(["starting second", "starting first", "written"], seen);
        await completed.Task.WaitAsync(TimeSpan.FromMinutes(2));

        Task Add(string what)
        {
            seen.Add(what);
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Middleware_in_front_can_add_body_to_empty_error()
    {
        await using TestApp app = await EndpointApp.StartAsync(app =>
        {
            app.UseStatusCodePages("text/plain", "status {0}");
            app.MapPost(Path, () => Results.NotFound()).WithResumableUploads();
        });
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage answer = await SendAsync(app, again: i == 1);
            Assert.Equal((HttpStatusCode.NotFound, "status 404"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
            Assert.Equal("true", answer.Header("X-Upload-Complete"));
        }
    }

    [Fact]
    public async Task Endpoint_sees_and_removes_headers_of_middleware_in_front()
    {
        await using TestApp app = await EndpointApp.StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                context.Response.Headers["X-Stays"] = "front";
                context.Response.Headers["X-Goes"] = "front";
                return next(context);
            });
            app.MapPost(Path, context =>
            {
                Assert.Equal("front", context.Response.Headers["X-Goes"]);
                context.Response.Headers.Remove("X-Goes");
                return context.Response.WriteAsync("x");
            }).WithResumableUploads();
        });
        using HttpResponseMessage answer = await SendAsync(app, again: false);
        Assert.Equal(("front", null), (answer.Header("X-Stays"), answer.Header("X-Goes")));
    }

    [Fact]
    public async Task Endpoint_that_aborts_has_no_response_and_runs_again()
    {
        int runs = 0;
        await using TestApp app = await StartAsync(context =>
        {
            if (++runs == 1)
            {
                context.Abort();
                Assert.True(context.RequestAborted.IsCancellationRequested);
            }

            return context.Response.WriteAsync("done");
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(app, again: false));

        // The first request may arrive before the aborted run has finished, and then has to be repeated.
        string text = "";
        for (int i = 0; i < 100 && text != "done"; i++)
        {
            using HttpResponseMessage again = await SendAsync(app, again: true);
            text = await again.Content.ReadAsStringAsync();
        }

        Assert.Equal(("done", 2), (text, runs));
    }

    [Fact]
    public async Task Bad_request_exception_of_model_binding_becomes_response()
    {
        await using TestApp app = await StartAsync(_ => throw new BadHttpRequestException("no", 422));
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage answer = await SendAsync(app, again: i == 1);
            Assert.Equal((422, "true"), ((int)answer.StatusCode, answer.Header("X-Upload-Complete")));
        }
    }

    private static Task<TestApp> StartAsync(RequestDelegate endpoint, Action<ResumableUploadOptions>? configure = null) =>
        EndpointApp.StartAsync(app => app.MapPost(Path, endpoint).WithResumableUploads(), configure);

    private static Task<HttpResponseMessage> SendAsync(TestApp app, bool again) =>
        app.Client.AppendAsync("f", again ? 3 : 0, new ByteArrayContent(again ? [] : "abc"u8.ToArray()), 3, Path);
}
