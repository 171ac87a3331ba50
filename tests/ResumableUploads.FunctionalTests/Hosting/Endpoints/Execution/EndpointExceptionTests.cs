using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>An endpoint runs inside the exception handling of the app, and the status of its response decides whether it is final.</summary>
public class EndpointExceptionTests
{
    private const string Path = "/e";
    private static readonly byte[] TruncatedForm =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\ncont"u8.ToArray();

    [Theory]
    [InlineData(422, true)]
    [InlineData(503, false)]
    public async Task Response_of_an_exception_handler_counts_by_its_status(int status, bool isFinal)
    {
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.UseExceptionHandler("/error");
                Map(app, () => runs++);
            },
            services: builder => builder.Services.AddProblemDetails().AddSingleton<IExceptionHandler>(new StatusHandler(status)));
        await ShouldRespondAsync(app, status, "mapped", isFinal);
        Assert.Equal(isFinal ? 1 : 2, runs);
    }

    [Fact]
    public async Task Exception_that_no_handler_accepts_is_a_failed_run()
    {
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app => Map(app, () => runs++), services: static builder => builder.Services.AddSingleton<IExceptionHandler>(new StatusHandler(null)));
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await SendAsync(app, again: i == 1);
            Assert.Equal((503, "10"), ((int)response.StatusCode, response.Header("Retry-After")));
        }

        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task Exception_handler_in_the_options_writes_the_response()
    {
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app => Map(app, () => runs++),
            services: static builder => builder.Services.Configure<ExceptionHandlerOptions>(static options => options.ExceptionHandler = static context =>
            {
                context.Response.StatusCode = 409;
                return context.Response.WriteAsync("mapped");
            }));
        await ShouldRespondAsync(app, 409, "mapped", isFinal: true);
        Assert.Equal(1, runs);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Exception_handling_path_does_not_run_the_endpoint_again(string environment)
    {
        var sizes = new List<long>();
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost(Path, async (Stream body) =>
            {
                using var content = new MemoryStream();
                await body.CopyToAsync(content);
                sizes.Add(content.Length);
                return sizes.Count == 1 ? throw new InvalidOperationException("not today") : "saved";
            }).WithResumableUploads(),
            services: builder =>
            {
                builder.Environment.EnvironmentName = environment;
                builder.Services.AddExceptionHandler(static options => options.ExceptionHandlingPath = "/error");
            });
        using HttpResponseMessage failed = await SendAsync(app, again: false);
        Assert.NotEqual("true", failed.Header("X-Upload-Complete"));
        Assert.InRange((int)failed.StatusCode, 500, 503);
        Assert.Equal([3], sizes);
        using HttpResponseMessage response = await SendAsync(app, again: true);
        Assert.Equal((200, "saved"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal([3, 3], sizes);
    }

    [Fact]
    public async Task Developer_page_shows_the_exception_and_is_not_final()
    {
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app => Map(app, () => runs++), services: static builder => builder.Environment.EnvironmentName = Environments.Development);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await SendAsync(app, again: i == 1);
            Assert.Equal((500, "false"), ((int)response.StatusCode, response.Header("X-Upload-Complete")));
            Assert.Contains("domain rule", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(2, runs);
    }

    [Theory]
    [InlineData("/json", false)]
    [InlineData("/json", true)]
    [InlineData("/form", false)]
    [InlineData("/form", true)]
    [InlineData("/limited-form", false)]
    public async Task Failed_binding_is_the_400_of_a_plain_request(string path, bool throws)
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.MapPost("/json", static (Named named) => named.Name).WithResumableUploads();
                app.MapPost("/form", static (IFormFile file) => file.FileName).DisableAntiforgery().WithResumableUploads();
                app.MapControllers().WithResumableUploads();
            },
            services: builder =>
            {
                builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = throws);
                builder.Services.AddAntiforgery();
                builder.Services.AddControllers().OnlyControllers(typeof(LimitedFormController));
            });
        (string type, byte[] content) = path == "/json" ? ("application/json", "{\"name\":"u8.ToArray()) : ("multipart/form-data; boundary=b", TruncatedForm);
        using var body = new ByteArrayContent(content);
        body.Headers.TryAddWithoutValidation("Content-Type", type);
        using HttpResponseMessage plain = await app.Client.PostAsync(path, body);
        Assert.Equal(400, (int)plain.StatusCode);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await app.Client.AppendAsync(
                "f", i == 0 ? 0 : content.Length, new ByteArrayContent(i == 0 ? content : []), content.Length, path, ("Content-Type", type));
            Assert.Equal((400, "true"), ((int)response.StatusCode, response.Header("X-Upload-Complete")));
        }
    }

    private static void Map(WebApplication app, Action run) => app.MapPost(Path, (HttpContext _) =>
    {
        run();
        throw new InvalidOperationException("domain rule");
    }).WithResumableUploads();

    private static async Task ShouldRespondAsync(TestApp app, int status, string body, bool isFinal)
    {
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage response = await SendAsync(app, again: i == 1);
            Assert.Equal(
                (status, body, isFinal ? "true" : "false"),
                ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Header("X-Upload-Complete")));
        }
    }

    private static Task<HttpResponseMessage> SendAsync(TestApp app, bool again) =>
        app.Client.AppendAsync("f", again ? 3 : 0, new ByteArrayContent(again ? [] : "abc"u8.ToArray()), 3, Path);

    private sealed record Named(string Name);

    private sealed class StatusHandler(int? status) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            if (status is null)
            {
                return false;
            }

            httpContext.Response.StatusCode = status.Value;
            await httpContext.Response.WriteAsync("mapped", cancellationToken);
            return true;
        }
    }
}

/// <summary>An action whose form is read before it runs.</summary>
[ApiController]
public sealed class LimitedFormController : ControllerBase
{
    [HttpPost("/limited-form")]
    [RequestFormLimits(ValueLengthLimit = 1000)]
    public string Save(IFormFile file) => file.FileName;
}
