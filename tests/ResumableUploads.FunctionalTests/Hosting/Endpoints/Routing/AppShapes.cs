using System.ComponentModel.DataAnnotations;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Routing;

/// <summary>An app with endpoints as real apps have them, beyond those of the templates. The unit tests of sibling endpoints have several API versions at one path.</summary>
internal static class AppShapes
{
    public const string ApiKey = "X-Api-Key";

    public static Task<TestApp> StartAsync() => EndpointApp.StartAsync(
        static app =>
        {
            app.UseExceptionHandler();
            app.UseAuthentication();
            app.UseAuthorization();
            app.MapControllerRoute(
                "legacy", "legacy/{controller=Legacy}/{action=Import}/{year:int:min(1000)?}", defaults: null, constraints: new { httpMethod = new HttpMethodRouteConstraint("POST"), year = @"\d{4}" });
            app.MapControllerRoute(
                "other", "other/{controller=Home}/{action=Index}", defaults: null, constraints: new { httpMethod = new HttpMethodRouteConstraint("POST") });
            app.MapControllers();
            app.MapPost("/orders", static async (HttpRequest request, Mediator mediator) => await mediator.SendAsync(request.Body)).WithResumableUploads();
            app.MapPost("/media", static async (Stream body) => $"first {await LengthAsync(body)}").RequireHost("first.example").WithResumableUploads();
            app.MapPost("/media", static async (Stream body) => $"second {await LengthAsync(body)}").RequireHost("second.example").WithResumableUploads();
        },
        static options => options.Owner = static context => context.User.FindFirst("key")?.Value,
        static builder =>
        {
            builder.Services.AddAuthentication("key").AddScheme<AuthenticationSchemeOptions, KeyAuthentication>("key", null);
            builder.Services.AddAuthorization();
            builder.Services.AddControllers().OnlyControllers(typeof(LegacyController), typeof(StoreController), typeof(HomeController), typeof(InvoicesController));
            builder.Services.AddProblemDetails().AddSingleton<Mediator>().AddExceptionHandler<ValidationExceptionHandler>();
        });

    public static async Task<long> LengthAsync(Stream body)
    {
        using var content = new MemoryStream();
        await body.CopyToAsync(content);
        return content.Length;
    }

    /// <summary>An identity without a name and an identifier.</summary>
    private sealed class KeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers[ApiKey] is [{ } key]
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim("key", key)], Scheme.Name)), Scheme.Name))
            : AuthenticateResult.NoResult());
    }

    /// <summary>Handles the commands of the app, and rejects invalid ones with an exception.</summary>
    private sealed class Mediator
    {
        public async Task<string> SendAsync(Stream body) => throw new ValidationException($"{await LengthAsync(body)} bytes are not an order.");
    }

    private sealed class ValidationExceptionHandler : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
        {
            if (exception is not ValidationException)
            {
                return false;
            }

            context.Response.StatusCode = StatusCodes.Status422UnprocessableEntity;
            await context.Response.WriteAsync(exception.Message, cancellationToken);
            return true;
        }
    }
}

public sealed class LegacyController : ControllerBase
{
    [ResumableUpload]
    public async Task<string> Import(int? year) => $"imported {await AppShapes.LengthAsync(Request.Body)} {year}".TrimEnd();
}

/// <summary>A second controller of the conventional route, whose defaults are not its own.</summary>
public sealed class StoreController : ControllerBase
{
    [ResumableUpload]
    public async Task<string> Import() => $"stored {await AppShapes.LengthAsync(Request.Body)}";
}

public sealed class HomeController : ControllerBase
{
    public string Index() => "home";
}

[ApiController]
[Authorize]
[ResumableUpload]
[Route("api/[controller]")]
public sealed class InvoicesController : ControllerBase
{
    [HttpPost]
    public async Task<string> Add() => $"invoice {await AppShapes.LengthAsync(Request.Body)}";

    [HttpPut("{id}")]
    public async Task<string> Replace(int id) => $"replaced {id} {await AppShapes.LengthAsync(Request.Body)}";

    [HttpGet]
    public string List() => "invoices";
}
