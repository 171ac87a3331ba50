using System.Reflection;
using System.Reflection.Emit;

namespace ResumableUploads.UnitTests.Repository.Layering;

/// <summary>Finds the types to which a type refers: in its signatures, its attributes, and the bodies of its methods.</summary>
internal static class TypeReferences
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => code.Value & 0xFFFF);

    public static IReadOnlySet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        Add(found, type.BaseType);
        Add(found, type.GetInterfaces());
        Attributes(found, type.GetCustomAttributesData());
        Constraints(found, type.GetGenericArguments());
        foreach (MemberInfo member in type.GetMembers(Declared))
        {
            Attributes(found, member.GetCustomAttributesData());
            switch (member)
            {
                case FieldInfo field:
                    Add(found, field.FieldType);
                    break;
                case PropertyInfo property:
                    Add(found, property.PropertyType);
                    break;
                case EventInfo @event:
                    Add(found, @event.EventHandlerType);
                    break;
                case MethodBase method:
                    Signature(found, method);
                    Body(found, method);
                    break;
            }
        }

        return found;
    }

    private static void Signature(HashSet<Type> found, MethodBase method)
    {
        Add(found, (method as MethodInfo)?.ReturnType);
        foreach (ParameterInfo parameter in method.GetParameters())
        {
            Add(found, parameter.ParameterType);
            Attributes(found, parameter.GetCustomAttributesData());
        }

        if (method.IsGenericMethodDefinition)
        {
            Constraints(found, method.GetGenericArguments());
        }
    }

    private static void Body(HashSet<Type> found, MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
        {
            return;
        }

        Add(found, body.LocalVariables.Select(static local => local.LocalType));
        Add(found, body.ExceptionHandlingClauses
            .Where(static clause => clause.Flags == ExceptionHandlingClauseOptions.Clause).Select(static clause => clause.CatchType));
        byte[] il = body.GetILAsByteArray()!;
        Type[]? typeArguments = method.DeclaringType is { IsGenericType: true } declaring ? declaring.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < il.Length;)
        {
            int value = il[at++];
            OpCode code = OpCodesByValue[value == 0xFE ? 0xFE00 | il[at++] : value];
            if (code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                Member(found, method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments));
            }

            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }

    private static void Member(HashSet<Type> found, MemberInfo? member)
    {
        Add(found, member as Type ?? member?.DeclaringType);
        Add(found, (member as FieldInfo)?.FieldType);
        Add(found, (member as MethodInfo)?.ReturnType);
        if (member is MethodInfo { IsGenericMethod: true } method)
        {
            Add(found, method.GetGenericArguments());
        }
    }

    private static void Constraints(HashSet<Type> found, Type[] arguments) =>
        Add(found, arguments.Where(static argument => argument.IsGenericParameter).SelectMany(static argument => argument.GetGenericParameterConstraints()));

    private static void Attributes(HashSet<Type> found, IEnumerable<CustomAttributeData> attributes)
    {
        foreach (CustomAttributeData attribute in attributes)
        {
            Add(found, attribute.AttributeType);
            Add(found, attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(static named => named.TypedValue))
                .SelectMany(static argument => new[] { argument.ArgumentType, argument.Value as Type }));
        }
    }

    private static void Add(HashSet<Type> found, IEnumerable<Type?> types)
    {
        foreach (Type? type in types)
        {
            Add(found, type);
        }
    }

    private static void Add(HashSet<Type> found, Type? type)
    {
        if (type is null || type.IsGenericParameter)
        {
            return;
        }

        if (type.HasElementType)
        {
            Add(found, type.GetElementType());
        }
        else if (type.IsFunctionPointer)
        {
            Add(found, [type.GetFunctionPointerReturnType(), .. type.GetFunctionPointerParameterTypes()]);
        }
        else if (type.IsConstructedGenericType)
        {
            Add(found, type.GetGenericTypeDefinition());
            Add(found, type.GetGenericArguments());
        }
        else
        {
            found.Add(type);
        }
    }
}
