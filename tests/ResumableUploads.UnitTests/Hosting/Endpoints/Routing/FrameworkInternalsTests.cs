using System.IO.Compression;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Requests.Bodies;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Routing;

/// <summary>
/// Runs the middleware of the framework and compares what it does with the internals that this library relies on. A failure names what the framework has
/// changed; src/ResumableUploads/Hosting/Endpoints/Routing/README.md says what each is used for.
/// </summary>
public class FrameworkInternalsTests
{
    [Fact]
    public async Task UseAuthorization_sets_the_authorization_key()
    {
        HttpContext context = await RunAsync(static services => services.AddRouting().AddAuthorization(), static app => app.UseAuthorization());
        Assert.Equal([FrameworkInternals.AuthorizationInvokedKey], context.Items.Keys);
    }

    [Fact]
    public async Task UseCors_sets_the_CORS_key()
    {
        HttpContext context = await RunAsync(static services => services.AddCors(), static app => app.UseCors());
        Assert.Equal([FrameworkInternals.CorsInvokedKey], context.Items.Keys);
    }

    [Fact]
    public async Task UseAntiforgery_sets_the_antiforgery_key()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddAntiforgery();
        await using ServiceProvider provider = services.BuildServiceProvider();
        var app = new ApplicationBuilder(provider);
        string[] before = [.. app.Properties.Keys];
        app.UseAntiforgery();
        Assert.Equal([FrameworkInternals.AntiforgerySetKey], app.Properties.Keys.Except(before));
    }

    [Fact]
    public async Task Antiforgery_sets_the_feature_for_tokens()
    {
        HttpContext context = await RunAsync(
            static services => services.AddAntiforgery(),
            static app => app.Use(next => context =>
            {
                context.RequestServices.GetRequiredService<IAntiforgery>().GetTokens(context);
                return next(context);
            }));
        Assert.Contains(FrameworkInternals.AntiforgeryFeatureName, context.Features.Select(static feature => feature.Key.FullName));
    }

    [Fact]
    public void HttpMethodMatcherPolicy_has_the_expected_order() =>
        Assert.Equal(FrameworkInternals.HttpMethodPolicyOrder, new HttpMethodMatcherPolicy().Order);

    [Fact]
    public async Task UseRequestDecompression_removes_the_header_and_sets_a_recognized_stream()
    {
        Stream? body = null;
        HttpContext context = await RunAsync(
            static services => services.AddRequestDecompression(),
            app => app.UseRequestDecompression().Use(next => context =>
            {
                body = context.Request.Body;
                return next(context);
            }),
            static request => request.Headers.ContentEncoding = "gzip");
        Assert.False(context.Request.Headers.ContainsKey("Content-Encoding"));
        Assert.True(DecodedBodyCheck.IsDecoder(body!), $"The body is a {body!.GetType().AssemblyQualifiedName}.");
        Assert.IsNotType<GZipStream>(body);
    }

    private static async Task<HttpContext> RunAsync(
        Action<IServiceCollection> addServices, Action<IApplicationBuilder> use, Action<HttpRequest>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddOptions();
        addServices(services);
        await using ServiceProvider provider = services.BuildServiceProvider();
        var app = new ApplicationBuilder(provider);
        use(app);
        app.Run(static _ => Task.CompletedTask);
        var context = new DefaultHttpContext { RequestServices = provider };
        context.SetEndpoint(new Endpoint(null, EndpointMetadataCollection.Empty, "test"));
        configure?.Invoke(context.Request);
        await app.Build()(context);
        return context;
    }
}
