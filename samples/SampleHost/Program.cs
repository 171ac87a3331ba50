using Microsoft.Extensions.Options;
using ResumableUploads;
using SampleHost;

// Reloading settings would watch every directory below the content root, including the uploads.
WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
// The browser client is a static web asset of the package. Without this call, only the Development environment and published apps serve it.
builder.WebHost.UseStaticWebAssets();

builder.Services.AddSingleton<FinishedFiles>();
builder.Services.AddResumableUploads().AddEvents<SampleUploadEvents>();

// Large uploads need fewer system calls with 64 KiB blocks.
builder.WebHost.UseLargeUploadBuffers();

// On HTTPS endpoints, clients of the IETF draft receive the upload URL and offsets in interim responses over HTTP/2.
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.UseResumableUploadInterimResponses()));

// Pages of these origins may also upload. The list is empty by default.
string[] origins = builder.Configuration.GetSection("AllowedOrigins").Get<string[]>() ?? [];
builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins).WithResumableUploads()));

WebApplication app = builder.Build();
app.UseDefaultFiles();
app.UseStaticFiles();
app.UseCors();
app.UseResumableUploads();

app.MapGet("/files", (FinishedFiles finished) => finished.List());
app.MapGet("/files/{name}", (string name, FinishedFiles finished) => finished.Find(name) is { } path
    ? Results.File(path, "application/octet-stream", name, enableRangeProcessing: true)
    : Results.NotFound());

app.Logger.LogInformation("Finished files are stored in {Directory}.", app.Services.GetRequiredService<FinishedFiles>().Directory);
app.Logger.LogInformation(
    "The durability of acknowledged bytes is {Durability}.", app.Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value.FileSystem.Durability);
app.Run();
