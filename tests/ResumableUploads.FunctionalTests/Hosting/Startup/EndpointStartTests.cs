using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Startup;

/// <summary>Errors in the configuration of resumable endpoints fail the start of the app.</summary>
public class EndpointStartTests
{
    [Fact]
    public async Task WithResumableUploads_without_services_fails_first_request()
    {
        await using TestApp app = await TestApp.StartAsync(after: app => app.MapPost("/e", () => "x").WithResumableUploads(), useUploads: false);
        using HttpResponseMessage response = await app.Client.GetAsync("/");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Contains(app.Log.Lines, static line => line.Contains("builder.Services.AddResumableUploads()", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Group_and_middleware_without_services_throw()
    {
        await using WebApplication app = WebApplication.CreateSlimBuilder().Build();
        Assert.Contains("AddResumableUploads()", Assert.Throws<InvalidOperationException>(() => app.MapGroup("/g").WithResumableUploads()).Message);
        Assert.Contains("AddResumableUploads()", Assert.Throws<InvalidOperationException>(() => app.UseResumableUploadEndpoints()).Message);
    }

    [Fact]
    public async Task WithResumableUploads_with_OnCompleted_fails_start() =>
        Assert.Contains("OnCompleted", (await FailsAsync(app =>
            app.MapPost("/e", () => "x").WithResumableUploads(static options => options.OnCompleted = static (_, _) => Task.CompletedTask))).Message);

    [Fact]
    public async Task Invalid_option_of_endpoint_fails_start_and_names_option()
    {
        OptionsValidationException thrown = await Assert.ThrowsAsync<OptionsValidationException>(() => EndpointApp.StartAsync(app =>
            app.MapPost("/e", () => "x").WithResumableUploads(static options => options.MaxUploadSize = 0)));
        Assert.Contains("MaxUploadSize", thrown.Message);
    }

    [Fact]
    public async Task UseAntiforgery_before_UseResumableUploadEndpoints_throws()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddResumableUploads();
        builder.Services.AddAntiforgery();
        await using WebApplication app = builder.Build();
        app.UseAntiforgery();
        Assert.Contains(
            "Call app.UseResumableUploadEndpoints() first", Assert.Throws<InvalidOperationException>(() => app.UseResumableUploadEndpoints()).Message);
    }

    [Fact]
    public async Task UseAntiforgery_in_another_branch_does_not_fail_start()
    {
        await using TestApp app = await EndpointApp.StartAsync(
            static app =>
            {
                app.Map("/other", static branch => branch.UseAntiforgery());
                app.UseResumableUploadEndpoints();
                app.MapPost("/e", () => "x").WithResumableUploads();
            },
            services: static builder => builder.Services.AddAntiforgery());
    }

    private static Task<InvalidOperationException> FailsAsync(Action<WebApplication> map, Action<WebApplicationBuilder>? services = null) =>
        Assert.ThrowsAsync<InvalidOperationException>(() => EndpointApp.StartAsync(map, services: services));
}
