using System.Reflection;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.Extensions.DependencyInjection;

namespace ResumableUploads.Testing.Servers;

/// <summary>Limits an app to some of the controllers of the test project.</summary>
internal static class MvcBuilderExtensions
{
    public static IMvcBuilder OnlyControllers(this IMvcBuilder mvc, params Type[] controllers) => mvc.ConfigureApplicationPartManager(parts =>
    {
        parts.ApplicationParts.Clear();
        foreach (Assembly assembly in controllers.Select(static controller => controller.Assembly).Distinct())
        {
            parts.ApplicationParts.Add(new AssemblyPart(assembly));
        }

        foreach (ControllerFeatureProvider provider in parts.FeatureProviders.OfType<ControllerFeatureProvider>().ToArray())
        {
            parts.FeatureProviders.Remove(provider);
        }

        parts.FeatureProviders.Add(new ListedControllers(controllers));
    });

    private sealed class ListedControllers(Type[] controllers) : ControllerFeatureProvider
    {
        protected override bool IsController(TypeInfo typeInfo) => controllers.Contains(typeInfo.AsType());
    }
}
