// A signed-in user creates a link for one photo. A person without an account sends the photo with it, also from a page of another host.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.Cookies;
using ResumableUploads;
using Tickets;

// Reloading settings would watch every directory below the content root, including the uploads.
WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
// The upload element is a static web asset of the package. Without this call, only the Development environment and published apps serve it.
builder.WebHost.UseStaticWebAssets();
builder.Services.AddSingleton<Photos>();
builder.Services.AddDataProtection();
builder.Services.AddAuthorization();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(static options => options.Events.OnRedirectToLogin = static context =>
{
    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
    return Task.CompletedTask;
});
builder.Services.AddResumableUploads(static options => options.Owner = static context => GetUser(context.User));

// Pages of these origins may send photos too. The list is empty by default.
string[] origins = builder.Configuration.GetSection("AllowedOrigins").Get<string[]>() ?? [];
builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins).WithResumableUploads()));

WebApplication app = builder.Build();
app.UseDefaultFiles();
app.UseCors();
app.UseStaticFiles();
app.UseAuthentication();
app.UseAuthorization();

// Every name is accepted without a password, because this is a sample.
app.MapPost("/sign-in", static (SignIn user) => Results.SignIn(
    new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user.Name)], CookieAuthenticationDefaults.AuthenticationScheme))));

app.MapPost("/tickets", static (IUploadTickets tickets, ClaimsPrincipal user) => Results.Ok(tickets.Create(new UploadTicketOptions
{
    Path = "/photos",
    Owner = GetUser(user),
    MaxLength = 100 << 20,
    ContentTypes = { "image/*" },
    Lifetime = TimeSpan.FromHours(1),
}))).RequireAuthorization();

app.MapGet("/photos", static (ClaimsPrincipal user, Photos photos) => photos.List(GetUser(user)!)).RequireAuthorization();

// The photos of signed-in users, and of those who have a ticket from one of them.
app.MapPost("/photos", static async (HttpContext context, Stream body, Photos photos, CancellationToken cancellationToken) =>
{
    IResumableUploadFeature? upload = context.Features.Get<IResumableUploadFeature>();
    string owner = upload?.Ticket is { } ticket ? ticket.Owner! : GetUser(context.User)!;
    return Results.Created((string?)null, await photos.SaveAsync(owner, upload?.FileName, body, cancellationToken));
}).WithResumableUploads().RequireAuthorization().AllowUploadTickets();

app.Run();

static string? GetUser(ClaimsPrincipal user) => user.FindFirstValue(ClaimTypes.NameIdentifier);
