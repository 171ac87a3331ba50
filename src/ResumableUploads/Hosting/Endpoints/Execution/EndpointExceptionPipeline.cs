using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Runs an endpoint inside the exception handling of the app: its <see cref="IExceptionHandler"/> services, its <see cref="ExceptionHandlerOptions"/> and
/// the developer exception page. The app's own middleware is outside of the request for the chunk, and would see the exception only after the response was
/// stored.
/// </summary>
internal sealed class EndpointExceptionPipeline(IServiceProvider services)
{
    private readonly Lazy<RequestDelegate> _pipeline = new(() => Build(services));

    public async Task InvokeAsync(HttpContext context, RequestDelegate endpoint)
    {
        context.Features.Set(new EndpointFeature(endpoint));
        try
        {
            await _pipeline.Value(context);
        }
        finally
        {
            context.Features.Set<EndpointFeature>(null);
        }
    }

    private static RequestDelegate Build(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        if (services.GetService<IWebHostEnvironment>()?.IsDevelopment() is true)
        {
            app.UseDeveloperExceptionPage();
        }

        ExceptionHandlerOptions options = services.GetRequiredService<IOptions<ExceptionHandlerOptions>>().Value;
        if (options.ExceptionHandler is not null)
        {
            app.UseExceptionHandler();
        }
        else if (services.GetServices<IExceptionHandler>().Any())
        {
            // An exception that no handler accepts is thrown again, so that the run counts as failed. ExceptionHandlingPath does not apply: this pipeline has
            // no routing, so the endpoint would run again, on a body that was already read.
            app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = Rethrow, StatusCodeSelector = options.StatusCodeSelector });
        }

        app.Run(static context => context.Features.GetRequiredFeature<EndpointFeature>().Endpoint(context));
        return app.Build();
    }

    private static Task Rethrow(HttpContext context)
    {
        ExceptionDispatchInfo.Throw(context.Features.GetRequiredFeature<IExceptionHandlerFeature>().Error);
        return Task.CompletedTask;
    }

    private sealed record EndpointFeature(RequestDelegate Endpoint);
}
