// Uploads with metrics for Prometheus, traces on the console, and a health check.
//   dotnet run --project samples/Observed
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ResumableUploads;

WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
builder.Services.AddResumableUploads();
builder.Services.AddHealthChecks().AddResumableUploads();
builder.Services.AddOpenTelemetry()
    .WithMetrics(static metrics => metrics
        .AddMeter(ResumableUploadsDiagnostics.MeterName)
        .AddPrometheusExporter())
    .WithTracing(static tracing => tracing
        .AddSource(ResumableUploadsDiagnostics.ActivitySourceName)
        .AddAspNetCoreInstrumentation()
        .AddConsoleExporter());

WebApplication app = builder.Build();
string finished = Path.Combine(app.Configuration["ResumableUploads:Directory"]!, "finished");
app.UseResumableUploads(options => options.OnCompleted = (upload, cancellationToken) => upload.MoveToDirectoryAsync(finished, cancellationToken));

// Both are for the monitoring only: do not publish them.
app.MapPrometheusScrapingEndpoint("/metrics");
app.MapHealthChecks("/health");
app.Run();
